"""GET /query/kpis, GET /kpis, and PUT and DELETE /kpis/{name}."""

from __future__ import annotations

from falcon.asgi import Request, Response

from supervisor_mcp.operations.kpis import (
    DOCUMENT,
    DeletedKpi,
    Kpi,
    KpiDefinition,
    KpiDeletion,
    KpiListQuery,
    KpiPage,
    KpisQuery,
    MeasuredKpis,
    define_kpi,
    delete_kpi,
    list_kpis,
    query_kpis,
)
from supervisor_mcp.operations.versions import Defined
from supervisor_mcp.rest.bodies import read_document
from supervisor_mcp.rest.operation import JSON, Operation, ReadResource, Resource, send_json

KPI = "/kpis/{name}"


class MeasuredKpisResource(ReadResource):
    """The KPIs over a window."""

    path = "/query/kpis"
    operation = Operation(
        "query_kpis", "KPIs over a window", KpisQuery, {JSON: MeasuredKpis}, problems=(404,)
    )

    async def on_get(self, req: Request, resp: Response) -> None:
        """Answer with all of them, or with the one that is named."""
        query = self.operation.read(req)
        send_json(resp, await query_kpis(self._context, query, self._clock()))


class KpisResource(ReadResource):
    """The definitions of KPIs, by name."""

    path = "/kpis"
    operation = Operation(
        "list_kpis", "List KPIs", KpiListQuery, {JSON: KpiPage | Kpi}, problems=(404,)
    )

    async def on_get(self, req: Request, resp: Response) -> None:
        """Answer with a page, or with the KPI that is named."""
        query = self.operation.read(req)
        send_json(resp, await list_kpis(self._context, query, self._clock()))


class DefineKpiResource(Resource):
    """Defines a KPI, or changes it."""

    path = KPI
    operation = Operation(
        "define_kpi",
        "Define a KPI",
        KpiDefinition,
        {JSON: Defined},
        method="put",
        document=DOCUMENT,
        problems=(413, 415, 429),
    )

    async def on_put(self, req: Request, resp: Response) -> None:
        """Define the KPI of the document."""
        query = self.operation.read(req)
        document = await read_document(req)
        send_json(resp, await define_kpi(self._context, query, document, self._clock()))


class DeleteKpiResource(Resource):
    """Deletes a KPI."""

    path = KPI
    operation = Operation(
        "delete_kpi",
        "Delete a KPI",
        KpiDeletion,
        {JSON: DeletedKpi},
        method="delete",
        problems=(404,),
    )

    async def on_delete(self, req: Request, resp: Response) -> None:
        """Delete the KPI."""
        query = self.operation.read(req)
        send_json(resp, await delete_kpi(self._context, query, self._clock()))
