# The service, without the embedded servers. compose.yaml runs it beside TimescaleDB and Valkey.
FROM python:3.13-slim AS build
WORKDIR /srv
RUN python -m venv /opt/supervisor
ENV PATH=/opt/supervisor/bin:$PATH
COPY requirements.lock ./
RUN pip install --no-cache-dir --require-hashes -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY app app
COPY sql sql
RUN pip install --no-cache-dir --no-deps .

FROM python:3.13-slim
COPY --from=build /opt/supervisor /opt/supervisor
# The file system is read-only: what is written goes to /tmp.
ENV PATH=/opt/supervisor/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    SUPERVISOR_DATA_DIR=/tmp/supervisor
# nobody
USER 65534:65534
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --start-interval=1s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/readyz', timeout=4)"]
CMD ["supervisor-mcp", "up", "--no-deploy"]
