"""Which objects have no comment."""

from __future__ import annotations

from supervisor_mcp.reference import catalog
from supervisor_mcp.reference.sql_api import DOCUMENTED


def undocumented(conninfo: str) -> list[str]:
    """List what has no comment: schemas, relations and routines of every schema of the product,
    and columns of the schemas that the SQL reference covers."""
    with catalog.read_only(conninfo) as conn:
        remarks = {f"schema {name}": text for name, text in catalog.remark_of_schemas(conn).items()}
        remarks |= {
            f"{row.kind} {row.schema}.{row.name}": row.remark for row in catalog.relations(conn)
        }
        remarks |= {
            f"{row.kind} {row.schema}.{row.name}({row.identity})": row.remark
            for row in catalog.routines(conn)
        }
        remarks |= {
            f"column {schema}.{relation}.{column.name}": column.remark
            for (schema, relation), columns in catalog.columns(conn).items()
            if schema in DOCUMENTED
            for column in columns
        }
    return [name for name, remark in remarks.items() if not remark.strip()]
