"""The three networks and the noise schedule, all plain diffusers / transformers classes."""

from __future__ import annotations

import torch
from diffusers import AutoencoderTiny, DDIMScheduler, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel

from .tokenizer import LENGTH, Tokenizer

CHANNELS = 32  # latent channels
DECODER_WIDTH = 48
CELLS = 8  # latent side for 128 pixels: one latent cell is 16 x 16 pixels
CELL = 16
WIDTH = 128  # of the text encoder


def scheduler() -> DDIMScheduler:
    """Stable Diffusion's betas, rescaled so that the last step is pure noise (Lin et al., WACV 2024), v-prediction."""
    return DDIMScheduler(
        num_train_timesteps=1000,
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        prediction_type="v_prediction",
        rescale_betas_zero_snr=True,
        timestep_spacing="trailing",
        clip_sample=False,
        set_alpha_to_one=True,
        steps_offset=1,
    )


def text_encoder(tokenizer: Tokenizer) -> CLIPTextModel:
    """CLIP's text tower with 2 layers of width 128; token embeddings start larger than CLIP's so that words differ."""
    model = CLIPTextModel(
        CLIPTextConfig(
            vocab_size=len(tokenizer),
            hidden_size=WIDTH,
            intermediate_size=4 * WIDTH,
            projection_dim=WIDTH,
            num_hidden_layers=2,
            num_attention_heads=4,
            max_position_embeddings=LENGTH,
            hidden_act="quick_gelu",
            bos_token_id=tokenizer.start,
            eos_token_id=tokenizer.end,
            pad_token_id=tokenizer.end,
        )
    )
    torch.nn.init.normal_(model.get_input_embeddings().weight, std=0.5)
    return model


def unet() -> UNet2DConditionModel:
    """Stable Diffusion's topology, small; the pooled prompt also enters through the time embedding."""
    model = UNet2DConditionModel(
        sample_size=CELLS,
        in_channels=CHANNELS,
        out_channels=CHANNELS,
        layers_per_block=1,
        block_out_channels=(64, 128, 192),
        down_block_types=("CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"),
        cross_attention_dim=WIDTH,
        attention_head_dim=4,
        norm_num_groups=8,
        addition_embed_type="text",
        addition_embed_type_num_heads=4,
    )
    for name, parameter in model.named_parameters():
        if name.startswith("conv_out."):
            torch.nn.init.zeros_(parameter)
        elif any(part in name for part in (".conv2.", ".proj_out.", ".to_out.", ".ff.net.2.")):
            parameter.data.mul_(0.3)
    return model


def autoencoder(scaling_factor: float = 4.0) -> AutoencoderTiny:
    """f = 16.  The encoder has no block and therefore no nonlinearity: it is wide enough to hold a patch PCA exactly.

    The decoder squashes its input with 3 tanh(x / 3); scaling_factor keeps the latents where that is nearly linear.
    """
    return AutoencoderTiny(
        latent_channels=CHANNELS,
        encoder_block_out_channels=(4 * CHANNELS,) * 5,
        num_encoder_blocks=(0,) * 5,
        decoder_block_out_channels=(DECODER_WIDTH,) * 5,
        num_decoder_blocks=(6, 5, 4, 1, 0),
        scaling_factor=scaling_factor,
    )
