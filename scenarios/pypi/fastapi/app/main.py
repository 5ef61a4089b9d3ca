"""One typed route."""
from fastapi import FastAPI
from pydantic import BaseModel


class Answer(BaseModel):
    state: str


app = FastAPI()


@app.get("/")
def home() -> Answer:
    return Answer(state="ready")
