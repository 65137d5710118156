"""GET /admin/doctor."""

from __future__ import annotations

from falcon.asgi import Request, Response

from supervisor_mcp.operations.diagnosis import Diagnosis, DoctorQuery, doctor
from supervisor_mcp.rest.operation import JSON, Operation, ReadResource, send_json


class DoctorResource(ReadResource):
    """What is wrong with the database."""

    path = "/admin/doctor"
    operation = Operation(
        "doctor", "Diagnose the database", DoctorQuery, {JSON: Diagnosis}, problems=(403,)
    )

    async def on_get(self, req: Request, resp: Response) -> None:
        """Answer with what is wrong."""
        self.operation.read(req)
        send_json(resp, await doctor(self._context, self._clock()))
