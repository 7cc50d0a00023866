"""A language model on this machine for `generate.py`.

Taught in 04_bert_encoding.
"""

import os
from collections.abc import Sequence

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from course_lib.sources.cache import OFFLINE_VARIABLE
from course_lib.text.generate_clients import CallFailed, Message
from course_lib.training import pick_device


class LocalModel:
    """A causal language model of `transformers` on this machine; it always picks the likeliest token.

    Parameters
    ----------
    name : str
        A folder, or a name on the model hub (downloaded, unless COURSE_OFFLINE=1). Weights must be safetensors:
        nothing is unpickled.
    max_new_tokens : int
        Where an answer is cut off.
    device : str
        "auto" is the GPU if there is one.
    """

    def __init__(self, name: str, max_new_tokens: int = 300, device: str = "auto") -> None:
        self.name = name
        self.max_new_tokens = max_new_tokens
        offline = os.environ.get(OFFLINE_VARIABLE, "0") not in ("", "0")
        self.tokenizer = AutoTokenizer.from_pretrained(name, local_files_only=offline)
        model = AutoModelForCausalLM.from_pretrained(name, local_files_only=offline, use_safetensors=True)
        self.model = model.eval()
        self.model.to(pick_device(device))

    def count_tokens(self, messages: Sequence[Message]) -> int:
        """Tokens of a prompt, exactly."""
        return self._encode(messages).shape[1]

    def ask(self, messages: Sequence[Message]) -> str:
        """The model's answer, greedily decoded."""
        prompt = self._encode(messages).to(self.model.device)  # [1, num_tokens]
        length = prompt.shape[1]
        limit = getattr(self.model.config, "max_position_embeddings", None)
        if limit and length + self.max_new_tokens > limit:
            raise CallFailed(f"prompt and answer need {length + self.max_new_tokens} tokens, {self.name} reads {limit}")
        pad = self.tokenizer.eos_token_id if self.tokenizer.pad_token_id is None else self.tokenizer.pad_token_id
        with torch.inference_mode():
            answer = self.model.generate(
                prompt,
                attention_mask=torch.ones_like(prompt),
                max_new_tokens=self.max_new_tokens,
                do_sample=False,
                pad_token_id=pad,
            )
        return str(self.tokenizer.decode(answer[0, length:], skip_special_tokens=True))

    def _encode(self, messages: Sequence[Message]) -> torch.Tensor:
        """Token ids of the prompt, [1, num_tokens]; a model without a chat template reads plain paragraphs."""
        if self.tokenizer.chat_template:
            text = self.tokenizer.apply_chat_template(list(messages), tokenize=False, add_generation_prompt=True)
            return self.tokenizer(text, add_special_tokens=False, return_tensors="pt")["input_ids"]
        text = "\n\n".join(message["content"] for message in messages) + "\n\n"
        return self.tokenizer(text, return_tensors="pt")["input_ids"]
