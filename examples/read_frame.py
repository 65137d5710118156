"""Read 30 days of a metric into a data frame, an hour of a source in each row.

    pip install adbc-driver-postgresql pyarrow pandas
    python examples/read_frame.py checkout_seconds [postgresql://analyst@host/database]

ADBC copies columns as they come from the server, in binary: 70,000 rows take a fraction of a
second. A percentile takes the server 0.1 ms a row, so leave out those that you don't need.
connectorx works too: `connectorx.read_sql(url, sql, return_type="arrow")`, with the values in the
text of the statement.
"""

from __future__ import annotations

import sys

import adbc_driver_postgresql.dbapi as postgresql

# The login of the embedded database for analysts.
EMBEDDED = "postgresql://supervisor_analyst@127.0.0.1:55432/postgres"
HOURS = """
select bucket, source, count, avg, min, max, p50, p95, increase
from analytics.metrics_hourly
where kind = $1 and bucket >= now() - interval '30 days'
order by bucket, source
"""


def main(kind: str, url: str = EMBEDDED) -> None:
    """Print the frame, and what it says by source."""
    with postgresql.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute(HOURS, (kind,))
        frame = cursor.fetch_arrow_table().to_pandas()
    print(frame)
    print(frame.groupby("source")[["count", "avg", "p95"]].describe())


if __name__ == "__main__":
    main(*sys.argv[1:])
