"""A real nginx in front of a Headrace, set up well or badly."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CONFIG = """
daemon off;
pid {folder}/pid;
error_log {folder}/error;
events {{ worker_connections 256; }}
http {{
  access_log off;
  client_body_temp_path {folder}/a; proxy_temp_path {folder}/b;
  fastcgi_temp_path {folder}/c; uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
  limit_conn_zone $binary_remote_addr zone=all:1m;
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass {server};
      proxy_http_version 1.1;
      {lines}
    }}
  }}
}}
"""
GOOD = "proxy_set_header Host $http_host; proxy_buffering off; proxy_read_timeout 300s;"


@contextmanager
def nginx(folder: Path, server: str, lines: str) -> Iterator[str]:
    """Its address."""
    found = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
    assert found, "These tests put a real proxy in front: install one, on Debian with `apt-get install nginx-light`."
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    file = folder / "nginx.conf"
    file.write_text(CONFIG.format(folder=folder, port=port, server=server, lines=lines))
    process = subprocess.Popen([found, "-p", str(folder), "-c", str(file), "-e", str(folder / "error")], stderr=subprocess.PIPE, text=True)
    try:
        for _ in range(200):
            time.sleep(0.05)
            assert process.poll() is None, process.stderr and process.stderr.read()
            with socket.socket() as asking:
                if asking.connect_ex(("127.0.0.1", port)) == 0:
                    break
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)
        assert process.stderr
        process.stderr.close()
