#!/usr/bin/env bash
# After an event with an `id:`, a comment between two events of a stream makes openai-python fail.
#
# Guess: a block without `data:`, such as a comment that keeps the connection alive, is no event, as the standard of server-sent events says;
#        OpenAI-compatible servers and proxies send them.
# Seen:  as long as no event had an `id:`, comments are passed over. From the first `id:` on, every further empty line ends an event
#        for the client, which reads its empty data as JSON and raises JSONDecodeError: the id is kept from event to event, as the standard
#        wants, and counts as content of the next one. A `retry:` alone does the same. Whoever writes a stream for it leaves ids and
#        retries out, or sends no empty line but those after data.
# With:  openai 1.109.1, 2.37.0 and 3.57.0 (pip), python 3.11.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT && cd "$dir"
for version in 1.109.1 2.37.0 3.57.0; do
    python3 -m pip install --quiet --target "py-$version" "openai==$version" >install.log 2>&1 || { cat install.log >&2; exit 2; }
done
cat >run.py <<'PY'
import json, sys, threading
from http.server import BaseHTTPRequestHandler, HTTPServer
import openai

def chunk(text):
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": None}
    return json.dumps({"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]})

forms = {
    "comment": f"data: {chunk('a')}\n\n: still here\n\ndata: {chunk('b')}\n\ndata: [DONE]\n\n",
    "id": f"id: 1\ndata: {chunk('a')}\n\nid: 2\ndata: {chunk('b')}\n\ndata: [DONE]\n\n",
    "id, comment": f"id: 1\ndata: {chunk('a')}\n\n: still here\n\nid: 2\ndata: {chunk('b')}\n\ndata: [DONE]\n\n",
    "retry": f"retry: 1000\n\ndata: {chunk('a')}\n\ndata: {chunk('b')}\n\ndata: [DONE]\n\n",
}

class Server(BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.end_headers()
        self.wfile.write(forms[self.path.split("/")[1].replace("_", " ")].encode())
    def log_message(self, *_):
        pass

server = HTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
seen = {}
for form in forms:
    url = f"http://127.0.0.1:{server.server_port}/{form.replace(' ', '_')}"
    client = openai.OpenAI(api_key="none", base_url=url, max_retries=0)
    try:
        stream = client.chat.completions.create(model="m", messages=[{"role": "user", "content": "?"}], stream=True)
        seen[form] = "".join(part.choices[0].delta.content for part in stream)
    except Exception as error:
        seen[form] = type(error).__name__
print(openai.__version__, seen)
wanted = {"comment": "ab", "id": "ab", "id, comment": "JSONDecodeError", "retry": "JSONDecodeError"}
sys.exit(0 if seen == wanted else 1)
PY
for version in 1.109.1 2.37.0 3.57.0; do
    PYTHONPATH="py-$version" python3 run.py
done
