create or replace function internal.newest_bucket(p_rollup name, p_upto timestamptz) returns timestamptz
language plpgsql stable
as $$
begin
    -- Each has a plan of its own, which the session keeps: planning takes longer than looking.
    case p_rollup
        when 'sample_1h' then
            return (select max(bucket) from data.sample_1h where bucket <= p_upto);
        when 'kind_1h' then
            return (select max(bucket) from data.kind_1h where bucket <= p_upto);
        when 'sample_1d' then
            return (select max(bucket) from data.sample_1d where bucket <= p_upto);
        when 'kind_1d' then
            return (select max(bucket) from data.kind_1d where bucket <= p_upto);
    end case;
end
$$;
comment on function internal.newest_bucket(name, timestamptz) is
'Start of the newest bucket of a rollup that begins at p_upto or before; null without one.';
