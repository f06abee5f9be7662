"""neutron-server without its RPC workers: the lab has no agents to serve."""
from neutron.cmd.eventlet import server as _patched  # noqa: F401 (monkey-patches)
from neutron import server
from neutron import service


def _serve():
    service.serve_wsgi(service.NeutronApiService).wait()


def main():
    server.boot_server(_serve)
