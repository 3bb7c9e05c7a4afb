"""A web server as one task among others: whoever starts it handles the signals."""

from contextlib import nullcontext

import uvicorn


class Server(uvicorn.Server):
    def __init__(self, app, port: int):
        super().__init__(uvicorn.Config(app, host="0.0.0.0", port=port, log_config=None, access_log=False, log_level="error", lifespan="off"))

    def install_signal_handlers(self) -> None:
        pass

    def capture_signals(self):
        return nullcontext()
