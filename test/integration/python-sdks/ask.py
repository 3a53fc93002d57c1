"""Asks a gateway through the official Python SDKs: ask.py ADDRESS MODEL, the key in GATEWAY_KEY. Tells what came as JSON lines."""
import json
import os
import sys

import anthropic
import openai

address, model = sys.argv[1:]
key = os.environ["GATEWAY_KEY"]
openai_client = openai.OpenAI(base_url=f"{address}/v1", api_key=key, max_retries=0)
anthropic_client = anthropic.Anthropic(base_url=address, api_key=key, max_retries=0)
SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}}
SAID = [{"role": "user", "content": "hello"}]


def chat(stream):
    tools = [{"type": "function", "function": {"name": "edit", "parameters": SCHEMA}}]
    if not stream:
        answer = openai_client.chat.completions.create(model=model, messages=SAID, tools=tools)
    else:
        with openai_client.chat.completions.stream(model=model, messages=SAID, tools=tools) as events:
            answer = events.get_final_completion()
    message = answer.choices[0].message
    calls = [[call.function.name, json.loads(call.function.arguments)] for call in message.tool_calls or []]
    return message.content, calls


def messages(stream):
    body = {"model": model, "max_tokens": 100, "messages": SAID, "tools": [{"name": "edit", "input_schema": SCHEMA}]}
    if not stream:
        answer = anthropic_client.messages.create(**body)
    else:
        with anthropic_client.messages.stream(**body) as events:
            answer = events.get_final_message()
    text = "".join(block.text for block in answer.content if block.type == "text")
    return text, [[block.name, block.input] for block in answer.content if block.type == "tool_use"]


def responses(stream):
    tools = [{"type": "function", "name": "edit", "parameters": SCHEMA, "strict": False}]
    if not stream:
        answer = openai_client.responses.create(model=model, input="hello", tools=tools)
    else:
        with openai_client.responses.stream(model=model, input="hello", tools=tools) as events:
            answer = events.get_final_response()
    calls = [[item.name, json.loads(item.arguments)] for item in answer.output if item.type == "function_call"]
    return answer.output_text, calls


for ask in (chat, messages, responses):
    for stream in (False, True):
        text, calls = ask(stream)
        print(json.dumps({"client": ask.__name__, "stream": stream, "text": text, "calls": calls}))
print(json.dumps({"models": [entry.id for entry in openai_client.models.list()]}))
print(json.dumps({"models": [entry.id for entry in anthropic_client.models.list()]}))
try:
    openai_client.chat.completions.create(model="none", messages=SAID)
except openai.NotFoundError as error:
    print(json.dumps({"refused": str(error)}))
