create aggregate internal.merge_moments (double precision[]) ( -- noqa: PRS
    sfunc = float8_combine,
    stype = double precision[],
    initcond = '{0,0,0}'
);
comment on aggregate internal.merge_moments (double precision[]) is
'Merges {count, sum, squared deviations} of parts into those of the whole (Chan, Golub, LeVeque 1979).';
