"""How gunicorn serves Fundwatch; `python app.py` takes the same values for its one worker."""

import signal

from core.addresses import host_and_port
from core.settings.load import load_settings

settings = load_settings()

bind = [host_and_port(settings.host, settings.port)]
certfile = settings.tls_cert or None
keyfile = settings.tls_key or None
# Whom to believe about who asks is decided in dashboard/frame/forwarded.py.
forwarded_allow_ips = ""
# Gunicorn's threads, given to whole requests only: dashboard/frame/worker.py.
worker_class = "dashboard.frame.worker.WholeRequestWorker"
# Only one process can own the ClickHouse that runs inside it.
workers = 1 if settings.is_embedded else 2
threads = settings.web_threads
# Without it the kernel may hand every kept-alive connection to one worker.
reuse_port = True
keepalive = 75
# Past it the one that has waited longest makes room. Below the 1,024 descriptors that many systems allow a process.
worker_connections = 500
# Of the request line: a page's address with its choices.
limit_request_line = 8190
sendfile = False
graceful_timeout = 20
timeout = 60
max_requests = 0
accesslog = None
errorlog = "-"
# Its warnings are a line for each malformed request, however many come.
loglevel = "error"
control_socket_disable = True


def worker_exit(server, worker):
    """Stop collectors and close stores in the worker that opened them."""
    from app import shut_down

    shut_down()


def on_starting(server):
    """Hand SIGHUP on to the workers, which take changed sources (app.py).

    Gunicorn's own answer is a second worker beside the first: it could not open the folder that the first one owns, and
    with wrong settings it would end the program.
    """
    server.handle_hup = lambda: server.kill_workers(signal.SIGHUP)
