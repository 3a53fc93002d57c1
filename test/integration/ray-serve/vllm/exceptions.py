# See __init__.py.


class VLLMClientError(Exception):
    pass
