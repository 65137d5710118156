create or replace function internal.rollup_json(p_bucket data.rollup) returns jsonb
language sql stable
begin atomic
    select
        to_jsonb(p_bucket)
        - '{kind_id,series_id,bucket,squared_deviations,sketch,sketch_other}'::text[]
        || jsonb_build_object(
            'sketch', md5((p_bucket).sketch::text), 'sketch_other', md5((p_bucket).sketch_other::text)
        )
    where (p_bucket).kind_id is not null;
end;
comment on function internal.rollup_json(data.rollup) is
'What is compared of a bucket, with the MD5 of its sketches, which are long; null for no bucket.';
