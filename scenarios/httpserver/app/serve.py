"""Serve the notes over HTTP with nothing but the standard library."""

import argparse
import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import notes


class Handler(BaseHTTPRequestHandler):
    """Answers /notes (a search with ?q=words) and /notes/<id>."""

    server_version = "notes/1"
    book = notes.Book.with_examples()

    def do_GET(self):
        url = urlsplit(self.path)
        parts = [part for part in url.path.split("/") if part]
        if parts == ["notes"]:
            words = parse_qs(url.query).get("q", [""])[0].split()
            found = self.book.search(words) if words else self.book.all()
            self.answer(200, [note.as_dict() for note in found])
        elif len(parts) == 2 and parts[0] == "notes" and parts[1].isdigit():
            note = self.book.get(int(parts[1]))
            if note is None:
                self.answer(404, {"error": "there is no such note"})
            else:
                self.answer(200, note.as_dict())
        else:
            self.answer(404, {"error": "ask for /notes"})

    def answer(self, status, body):
        data = json.dumps(body, indent=1).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format, *args):
        """Keep quiet: one line a request is of no use here."""


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=8000, help="port to listen on")
    options = parser.parse_args()
    with ThreadingHTTPServer((options.host, options.port), Handler) as server:
        server.serve_forever()


if __name__ == "__main__":
    main()
