create or replace function internal.unit_scale(p_unit text) returns jsonb
language sql immutable parallel safe
begin atomic
    select '{
    "ns": ["time", 1e-9], "nanos": ["time", 1e-9], "nsec": ["time", 1e-9],
    "nanosecond": ["time", 1e-9], "nanoseconds": ["time", 1e-9],
    "us": ["time", 1e-6], "µs": ["time", 1e-6], "μs": ["time", 1e-6], "usec": ["time", 1e-6],
    "micros": ["time", 1e-6], "microsecond": ["time", 1e-6], "microseconds": ["time", 1e-6],
    "ms": ["time", 1e-3], "msec": ["time", 1e-3], "millis": ["time", 1e-3],
    "millisecond": ["time", 1e-3], "milliseconds": ["time", 1e-3],
    "s": ["time", 1], "sec": ["time", 1], "secs": ["time", 1],
    "second": ["time", 1], "seconds": ["time", 1],
    "min": ["time", 60], "mins": ["time", 60], "minute": ["time", 60], "minutes": ["time", 60],
    "h": ["time", 3600], "hr": ["time", 3600], "hour": ["time", 3600], "hours": ["time", 3600],
    "d": ["time", 86400], "day": ["time", 86400], "days": ["time", 86400],
    "bit": ["information", 0.125], "bits": ["information", 0.125],
    "B": ["information", 1], "By": ["information", 1],
    "byte": ["information", 1], "bytes": ["information", 1],
    "kB": ["information", 1e3], "kBy": ["information", 1e3],
    "kilobyte": ["information", 1e3], "kilobytes": ["information", 1e3],
    "MB": ["information", 1e6], "MBy": ["information", 1e6],
    "megabyte": ["information", 1e6], "megabytes": ["information", 1e6],
    "GB": ["information", 1e9], "GBy": ["information", 1e9],
    "gigabyte": ["information", 1e9], "gigabytes": ["information", 1e9],
    "TB": ["information", 1e12], "TBy": ["information", 1e12],
    "terabyte": ["information", 1e12], "terabytes": ["information", 1e12],
    "KiB": ["information", 1024], "KiBy": ["information", 1024],
    "kibibyte": ["information", 1024], "kibibytes": ["information", 1024],
    "MiB": ["information", 1048576], "MiBy": ["information", 1048576],
    "mebibyte": ["information", 1048576], "mebibytes": ["information", 1048576],
    "GiB": ["information", 1073741824], "GiBy": ["information", 1073741824],
    "gibibyte": ["information", 1073741824], "gibibytes": ["information", 1073741824],
    "TiB": ["information", 1099511627776], "TiBy": ["information", 1099511627776],
    "tebibyte": ["information", 1099511627776], "tebibytes": ["information", 1099511627776],
    "1": ["share", 1], "ratio": ["share", 1], "fraction": ["share", 1],
    "%": ["share", 0.01], "pct": ["share", 0.01], "percent": ["share", 0.01]
}'::jsonb
    -- Case matters to abbreviations (MB, Mb) and not to words (CloudWatch sends Seconds).
    -> case when length(p_unit) > 4 then lower(p_unit) else p_unit end;
end;
comment on function internal.unit_scale(text) is
'What a unit measures, and its size: [quantity, factor]; equal for synonyms, null for an unknown unit.
Names are those of OpenTelemetry (UCUM), Prometheus and CloudWatch.';
