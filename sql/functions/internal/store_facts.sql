create or replace function internal.store_facts(
    p_items jsonb,
    p_partial boolean,
    p_now timestamptz,
    p_nows timestamptz[],
    out bad_items jsonb,
    out bad integer,
    out unregistered integer,
    out accepted integer,
    out late integer,
    out kinds text[],
    out unsampled data.sample[]
)
language plpgsql
as $$
begin
    with item as materialized (
        select
            checked.*,
            coalesce(checked.fact_id, gen_random_uuid()::text) as name
        -- Without `offset 0` the planner computes good once for each of its uses.
        from (select * from internal.check_facts(p_items, p_now, p_nows) offset 0) as checked -- noqa: AM09
    ),
    verdict as materialized (
        select
            count(*) filter (where good and series_id is null) as unregistered,
            count(*) filter (where not good) as bad,
            bool_and(series_id is not null or not good) and (bool_and(good) or p_partial) as storable
        from item
    ),
    candidate as (
        select distinct on (item.source_id, item.name) item.*
        from item
        cross join verdict
        where item.good and verdict.storable
        order by item.source_id, item.name, item.place
    ),
    -- In the order of the batch.
    numbered as materialized (
        select
            candidate.source_id,
            candidate.name,
            candidate.digest,
            candidate.ts,
            candidate.series_id,
            nextval('data.fact_identity_seq_seq') as seq
        from candidate
        -- `on conflict` alone would use up a number for every duplicate. With `not exists` the planner
        -- expects one row and joins fresh by a nested loop.
        where
            candidate.fact_id is null
            or coalesce(
                (
                    select false from data.fact_identity as known
                    where known.source_id = candidate.source_id and known.fact_id = candidate.name
                ),
                true
            )
        order by candidate.place
    ),
    identity as (
        insert into data.fact_identity (source_id, fact_id, digest, ts, series_id, seq)
        overriding system value
        select source_id, name, digest, ts, series_id, seq
        from numbered
        -- Two batches with the same facts wait for each other in one order.
        order by source_id, name
        on conflict (source_id, fact_id) do nothing
        returning source_id, fact_id, seq
    ),
    fresh as materialized (
        select
            candidate.*,
            identity.seq,
            -- Only a batch with an older one has to look.
            candidate.ts > p_now - interval '1 hour'
            or candidate.ts >= (select internal.sampled_from(p_now)) as sampled
        from candidate
        inner join identity
            on candidate.source_id = identity.source_id and candidate.name = identity.fact_id
    ),
    fact as (
        insert into data.fact (series_id, ts, seq, fact_id, subject, value, payload, received_at)
        select series_id, ts, seq, name, subject, value, payload, received_at
        from fresh
    ),
    stored as (
        insert into data.sample (series_id, kind_id, ts, seq, value, observations, counter)
        select series_id, kind_id, ts, seq, value, 1, false
        from fresh
        where sampled
        returning kind_id, ts
    ),
    announced as (
        insert into data.outbox (subscription_id, group_key, item, due_at)
        select
            subscription.subscription_id,
            'facts',
            jsonb_build_object(
                'kind', kind.name, 'source', source.name, 'fact_id', fresh.name, 'subject', fresh.subject,
                'ts', fresh.ts, 'value', fresh.value, 'payload', fresh.payload, 'received_at', fresh.received_at
            ),
            p_now
        from data.subscription
        cross join fresh
        inner join data.kind on fresh.kind_id = kind.kind_id
        inner join data.source on fresh.source_id = source.source_id
        where
            subscription.enabled
            and subscription.facts is not null
            and coalesce(subscription.facts -> 'kinds' ? kind.name, true)
            and coalesce(subscription.facts -> 'sources' ? source.name, true)
        order by fresh.seq
    ),
    overdue as (
        insert into data.late_hour (kind_id, bucket, samples)
        select
            stored.kind_id,
            time_bucket(interval '1 hour', stored.ts),
            count(*)
        from stored
        where stored.ts < (select internal.late_before(p_now))
        group by 1, 2
        order by 1, 2
        returning bucket, samples
    ),
    -- Duplicates too: the acknowledgement of what stored them may have been lost.
    touched as (
        insert into data.kind_change (kind_id)
        select distinct item.kind_id
        from item
        cross join verdict
        where item.good and verdict.storable
        returning kind_id
    )
    select
        verdict.unregistered,
        (select count(*) from fresh),
        (
            select coalesce(sum(overdue.samples), 0)
            from overdue
            where overdue.bucket < (select internal.watermark('sample_1h'))
        ),
        (
            select array_agg(kind.name)
            from data.kind
            where kind.kind_id in (select touched.kind_id from touched)
        ),
        verdict.bad,
        (
            select jsonb_agg(jsonb_build_object('index', bad_item.place, 'item', bad_item.item))
            from (
                select
                    place,
                    item
                from item
                where not good
                order by place
            ) as bad_item
        ),
        (
            select array_agg(
                row(series_id, kind_id, ts, seq, value, 1, false, null, null, null, null)::data.sample
            )
            from fresh
            where not sampled
        )
    into unregistered, accepted, late, kinds, bad, bad_items, unsampled
    from verdict;
end
$$;
comment on function internal.store_facts(jsonb, boolean, timestamptz, timestamptz[]) is
'Stores the facts of a batch in one statement, unless an item is bad or its series unknown; with p_partial
the good ones among them. Each is received at the time at its place in p_nows, or at p_now. bad counts the bad items; bad_items: those, [{index, item}]. late counts the facts
older than the watermark of the hourly rollup; data.late_hour also notes those that a running refresh may miss.
unsampled are the facts that are older than samples are kept, as samples that are not stored.';
