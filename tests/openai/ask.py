"""Asks a gateway through OpenAI's library for Python, and prints what the library made of each answer, one JSON object a line.

python ask.py <base url> <question>...
"""

import json
import sys

from openai import APIError, OpenAI

client = OpenAI(base_url=sys.argv[1], api_key="unused", max_retries=0)


def ask(question, stream):
    said = {"text": "", "calls": "", "finish": None, "usage": None, "error": None, "status": None}
    more = {"stream": True, "stream_options": {"include_usage": True}} if stream else {}
    try:
        answer = client.chat.completions.create(
            model="digits", messages=[{"role": "user", "content": question}], **more
        )
        for part in answer if stream else [answer]:
            if part.usage:
                said["usage"] = part.usage.completion_tokens
            for choice in part.choices:
                words = choice.delta if stream else choice.message
                said["text"] += words.content or ""
                for call in words.tool_calls or []:
                    said["calls"] += (call.function.name or "") + (call.function.arguments or "")
                said["finish"] = choice.finish_reason or said["finish"]
    except APIError as error:
        said["error"] = str(error)
        said["status"] = getattr(error, "status_code", None)
    return said


for question in sys.argv[2:]:
    stream = not question.startswith("whole")
    print(json.dumps({"question": question, **ask(question, stream)}))
