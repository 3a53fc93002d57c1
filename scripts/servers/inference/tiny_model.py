"""Makes a tiny chat model of Qwen2's architecture with random weights and a tokenizer, without a network.

usage: tiny_model.py DIRECTORY
"""

import json
import sys
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

HIDDEN, INNER, LAYERS, HEADS, VOCABULARY, CONTEXT = 64, 128, 2, 2, 512, 2048
SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
CHAT = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def tokenizer() -> Tokenizer:
    """A byte-level tokenizer of 512 tokens at most."""
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    texts = [
        "the quick brown fox jumps over the lazy dog",
        "user assistant system hello world",
        '{"name": "get_weather", "arguments": {}}',
    ] * 50
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    made.train_from_iterator(
        texts,
        trainers.BpeTrainer(vocab_size=VOCABULARY, special_tokens=SPECIAL, initial_alphabet=alphabet),
    )
    return made


def weights() -> dict[str, np.ndarray]:
    """All tensors of the model by their names, the same each time."""
    random = np.random.default_rng(0)

    def matrix(rows: int, columns: int) -> np.ndarray:
        return random.normal(0, 0.02, (rows, columns)).astype(np.float32)

    tensors = {
        "model.embed_tokens.weight": matrix(VOCABULARY, HIDDEN),
        "model.norm.weight": np.ones(HIDDEN, np.float32),
    }
    for layer in range(LAYERS):
        prefix = f"model.layers.{layer}"
        for name in "qkv":
            tensors[f"{prefix}.self_attn.{name}_proj.weight"] = matrix(HIDDEN, HIDDEN)
            tensors[f"{prefix}.self_attn.{name}_proj.bias"] = np.zeros(HIDDEN, np.float32)
        tensors[f"{prefix}.self_attn.o_proj.weight"] = matrix(HIDDEN, HIDDEN)
        tensors[f"{prefix}.mlp.gate_proj.weight"] = matrix(INNER, HIDDEN)
        tensors[f"{prefix}.mlp.up_proj.weight"] = matrix(INNER, HIDDEN)
        tensors[f"{prefix}.mlp.down_proj.weight"] = matrix(HIDDEN, INNER)
        tensors[f"{prefix}.input_layernorm.weight"] = np.ones(HIDDEN, np.float32)
        tensors[f"{prefix}.post_attention_layernorm.weight"] = np.ones(HIDDEN, np.float32)
    return tensors


def main(directory: Path) -> None:
    directory.mkdir(parents=True, exist_ok=True)

    def write(name: str, content: object) -> None:
        (directory / name).write_text(json.dumps(content, indent=2) + "\n")

    tokenizer().save(str(directory / "tokenizer.json"))
    special = {"eos_token": SPECIAL[2], "pad_token": SPECIAL[0], "unk_token": SPECIAL[0]}
    write(
        "tokenizer_config.json",
        {
            **special,
            "tokenizer_class": "PreTrainedTokenizerFast",
            "model_max_length": CONTEXT,
            "chat_template": CHAT,
        },
    )
    ends = {"bos_token_id": 0, "eos_token_id": 2, "pad_token_id": 0}
    write(
        "config.json",
        {
            **ends,
            "architectures": ["Qwen2ForCausalLM"],
            "model_type": "qwen2",
            "dtype": "float32",
            "hidden_act": "silu",
            "hidden_size": HIDDEN,
            "intermediate_size": INNER,
            "max_position_embeddings": CONTEXT,
            "num_attention_heads": HEADS,
            "num_hidden_layers": LAYERS,
            "num_key_value_heads": HEADS,
            "rms_norm_eps": 1e-6,
            "rope_parameters": {"rope_type": "default", "rope_theta": 10000.0},
            "tie_word_embeddings": True,
            "use_sliding_window": False,
            "vocab_size": VOCABULARY,
        },
    )
    write("generation_config.json", ends)
    save_file(weights(), directory / "model.safetensors", metadata={"format": "pt"})


main(Path(sys.argv[1]))
