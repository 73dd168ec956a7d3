// The convolutions of the Nature DQN, forward and backward, as C functions for ctypes.
#include <algorithm>
#include <array>
#include <vector>

#include "convolution.h"
#include "export.h"
#include "scale.h"
#include "thread_pool.h"

#ifdef HAS_FLOAT16
namespace compute {
namespace {

constexpr int kFrames = 4, kBlock = 4;
constexpr int kPixelChannels = kFrames * kBlock * kBlock;
constexpr float kPixelScale = 256;  // pixels of 0 to 255 divided by 256 are exact in float16

struct Network {
  int side;
  Convolution first, second, third;

  explicit Network(int side)
      : side(side),
        first{side / kBlock, kPixelChannels, 2, 1, 32},
        second{first.out_side(), 32, 4, 2, 64},
        third{second.out_side(), 64, 3, 1, 64} {}

  // Number of activations of one state: the outputs of the three layers.
  std::ptrdiff_t activations_size() const {
    return first.out_size() + second.out_size() + third.out_size();
  }
};

std::int32_t load_4_pixels(const std::uint8_t* pixels) {
  std::int32_t bytes;
  __builtin_memcpy(&bytes, pixels, sizeof bytes);
  return bytes;
}

// Converts frames (4, side, side) to float16 blocks (side / 4, side / 4, 64).
void space_to_depth(const std::uint8_t* state, int side, float16_t* out) {
  const int blocks = side / kBlock;
  const __m512 scale = _mm512_set1_ps(1 / kPixelScale);
  for (int y = 0; y < blocks; ++y) {
    for (int x = 0; x < blocks; ++x, out += kPixelChannels) {
      for (int frame = 0; frame < kFrames; ++frame) {
        const std::uint8_t* block =
            state + (std::ptrdiff_t(frame) * side + y * kBlock) * side + x * kBlock;
        const __m512i pixels = _mm512_cvtepu8_epi32(
            _mm_setr_epi32(load_4_pixels(block), load_4_pixels(block + side),
                           load_4_pixels(block + 2 * side), load_4_pixels(block + 3 * side)));
        store16(out + frame * 16, to_float16(_mm512_mul_ps(_mm512_cvtepi32_ps(pixels), scale)));
      }
    }
  }
}

float16_t to_float16(float number) { return _cvtss_sh(number, _MM_FROUND_TO_NEAREST_INT); }

// Index of the filter's k-th term in torch's order, (channels, rows, columns).
int torch_index(const Convolution& c, bool pixels, int k) {
  const int row = k / c.kernel_row_size();
  const int column = k % c.kernel_row_size() / c.in_channels, channel = k % c.in_channels;
  if (!pixels) return (channel * c.kernel + row) * c.kernel + column;
  const int frame = channel / 16, y = channel % 16 / 4, x = channel % 4;
  const int pixel_kernel = c.kernel * kBlock;
  return (frame * pixel_kernel + row * kBlock + y) * pixel_kernel + column * kBlock + x;
}

// Converts some terms of torch's weights, float (out, channels, rows, columns), to float16
// (terms, out), and to panels of (out, kPanel) unless `panels` is null.
void pack_weights(const Convolution& c, bool pixels, Range terms, const float* in,
                  float16_t* weights, float16_t* panels) {
  const float scale = pixels ? kPixelScale / 255 : 1;
  for (int k = int(terms.first); k < terms.last; ++k) {
    const int term = torch_index(c, pixels, k);
    for (int n = 0; n < c.out_channels; ++n) {
      const float16_t weight = to_float16(in[n * c.num_terms() + term] * scale);
      weights[k * c.out_channels + n] = weight;
      if (panels) panels[(k / kPanel * c.out_channels + n) * kPanel + k % kPanel] = weight;
    }
  }
}

// Copies a scaled weight gradient, (terms, out), to torch's order, (out, terms).
void unpack_gradient(const Convolution& c, bool pixels, const float* in, float scale, float* out) {
  const float factor = scale * (pixels ? kPixelScale / 255 : 1);
  for (int k = 0; k < c.num_terms(); ++k) {
    const int term = torch_index(c, pixels, k);
    for (int n = 0; n < c.out_channels; ++n)
      out[n * c.num_terms() + term] = in[k * c.out_channels + n] * factor;
  }
}

// Weights of the layers in one buffer: (terms, out) of each, then panels of the second and third.
struct Weights {
  float16_t *first, *second, *third, *second_panels, *third_panels;

  Weights(const Network& net, float16_t* buffer)
      : first(buffer),
        second(first + net.first.num_weights()),
        third(second + net.second.num_weights()),
        second_panels(third + net.third.num_weights()),
        third_panels(second_panels + net.second.num_weights()) {}
};

// Transposes (channels, positions) to (positions, channels).
void transpose(const float16_t* in, const Convolution& c, float16_t* out) {
  for (int n = 0; n < c.out_channels; ++n)
    for (int p = 0; p < c.num_positions(); ++p)
      out[p * c.out_channels + n] = in[n * c.num_positions() + p];
}

// Backpropagates the gradient of the third layer's output through ReLU and convolutions. `grads`
// has the layout of `activations`, with the gradient of the third layer's output filled in.
void backward(const Network& net, const Weights& weights, const float16_t* activations,
              float16_t* grads) {
  const std::ptrdiff_t two = net.first.out_size(), three = two + net.second.out_size();
  relu_backward(activations + three, grads + three, net.third.out_size());
  input_gradient(net.third, weights.third_panels, grads + three, grads + two);
  relu_backward(activations + two, grads + two, net.second.out_size());
  input_gradient(net.second, weights.second_panels, grads + two, grads);
  relu_backward(activations, grads, net.first.out_size());
}

// Sums over images of the gradients of each layer's weights, (terms, out), and biases.
class GradientSums {
 public:
  static std::size_t size(const Network& net) {
    std::size_t total = 0;
    for (const Convolution* c : layers(net)) total += c->num_weights() + c->out_channels;
    return total;
  }

  // `buffer`: `size` floats.
  GradientSums(const Network& net, float* buffer) : net_(net) {
    for (int n = 0; n < kLayers; ++n) {
      weights_[n] = buffer;
      biases_[n] = buffer + layers(net)[n]->num_weights();
      buffer = biases_[n] + layers(net)[n]->out_channels;
    }
  }

  // Adds the gradients of some images. `grads` are those of `activations`, in the same layout.
  void add(int images, const float16_t* pixels, const float16_t* activations,
           const float16_t* grads) {
    const std::ptrdiff_t two = net_.first.out_size(), three = two + net_.second.out_size();
    const std::ptrdiff_t stride = net_.activations_size();
    add_gradients<1>(net_.first, {images, pixels, net_.first.in_size(), grads, stride},
                     weights_[0], biases_[0]);
    add_gradients<2>(net_.second, {images, activations, stride, grads + two, stride}, weights_[1],
                     biases_[1]);
    add_gradients<2>(net_.third, {images, activations + two, stride, grads + three, stride},
                     weights_[2], biases_[2]);
  }

  // Writes the sums times a factor in torch's order.
  void unpack(float factor, float* const* weights, float* const* biases) const {
    for (int n = 0; n < kLayers; ++n) {
      const Convolution& layer = *layers(net_)[n];
      unpack_gradient(layer, n == 0, weights_[n], factor, weights[n]);
      for (int i = 0; i < layer.out_channels; ++i) biases[n][i] = biases_[n][i] * factor;
    }
  }

 private:
  static constexpr int kLayers = 3;

  static std::array<const Convolution*, kLayers> layers(const Network& net) {
    return {&net.first, &net.second, &net.third};
  }

  const Network& net_;
  float *weights_[kLayers], *biases_[kLayers];
};

// Computes the features of some states, see cnn_forward().
void forward_states(const Network& net, const Weights& weights, const float* const* biases,
                    Range range, const std::uint8_t* states, std::int64_t state_stride,
                    float16_t* activations, float* features) {
  static thread_local std::vector<float16_t> buffer;
  static thread_local std::vector<float> float_buffer;
  float16_t* pixels = scratch(buffer, net.first.in_size());
  float* outputs = scratch(float_buffer, net.third.out_size());
  const int positions = net.third.num_positions(), channels = net.third.out_channels;
  for (auto s = range.first; s < range.last; ++s) {
    float16_t* one = activations + s * net.activations_size();
    float16_t* two = one + net.first.out_size();
    float16_t* three = two + net.second.out_size();
    space_to_depth(states + s * state_stride, net.side, pixels);
    forward<1>(net.first, pixels, weights.first, biases[0], one);
    forward<2>(net.second, one, weights.second, biases[1], two);
    forward<2>(net.third, two, weights.third, biases[2], three);
    for (int n = 0; n < net.third.out_size(); n += 16)
      _mm512_store_ps(outputs + n, to_float32(load16(three + n)));
    float* out = features + s * net.third.out_size();
    for (int n = 0; n < channels; ++n)
      for (int p = 0; p < positions; ++p) out[n * positions + p] = outputs[p * channels + n];
  }
}

// Adds the gradients of some states to `sums`, see cnn_backward().
void backward_states(const Network& net, const Weights& weights, Range range,
                     const std::uint8_t* states, std::int64_t state_stride,
                     const float16_t* activations, const float* grad_features, float scale,
                     GradientSums sums) {
  static thread_local std::vector<float16_t> buffer;
  const std::ptrdiff_t size = net.activations_size(), pixel_size = net.first.in_size();
  float16_t* pixels = scratch(buffer, kGroup * (pixel_size + size) + net.third.out_size());
  float16_t* grads = pixels + kGroup * pixel_size;  // each in the layout of the activations
  float16_t* channels_first = grads + kGroup * size;
  const std::ptrdiff_t three = net.first.out_size() + net.second.out_size();
  for (auto s = range.first; s < range.last; s += kGroup) {
    const int group = int(std::min<std::int64_t>(kGroup, range.last - s));
    for (int i = 0; i < group; ++i) {
      space_to_depth(states + (s + i) * state_stride, net.side, pixels + i * pixel_size);
      convert(grad_features + (s + i) * net.third.out_size(), net.third.out_size(), scale,
              channels_first);
      float16_t* grad = grads + i * size;
      transpose(channels_first, net.third, grad + three);
      backward(net, weights, activations + (s + i) * size, grad);
    }
    sums.add(group, pixels, activations + s * size, grads);
  }
}

}  // namespace

// Number of float16 values that cnn_pack_weights() writes.
EXPORT std::int64_t cnn_packed_size(int side) {
  const Network net(side);
  return net.first.num_weights() + 2 * (net.second.num_weights() + net.third.num_weights());
}

// Converts torch's weights of the three layers to float16.
EXPORT void cnn_pack_weights(ThreadPool* pool, int side, const float* first, const float* second,
                             const float* third, float16_t* out) {
  const Network net(side);
  const Weights weights(net, out);
  pool->parallel_for(kParts, [&](int part) {
    const auto terms = [&](const Convolution& c) { return Range(c.num_terms(), part, kParts); };
    pack_weights(net.first, true, terms(net.first), first, weights.first, nullptr);
    pack_weights(net.second, false, terms(net.second), second, weights.second,
                 weights.second_panels);
    pack_weights(net.third, false, terms(net.third), third, weights.third, weights.third_panels);
  });
}

// Number of float16 activations per state that cnn_forward() saves for cnn_backward().
EXPORT std::int64_t cnn_activations_size(int side) {
  return Network(side).activations_size();
}

// Computes features, float (count, channels * positions). `state_stride`: bytes between states.
EXPORT void cnn_forward(ThreadPool* pool, int side, std::int64_t count, const std::uint8_t* states,
                        std::int64_t state_stride, float16_t* weights, const float* const* biases,
                        float16_t* activations, float* features) {
  const Network net(side);
  const Weights packed(net, weights);
  pool->parallel_for_ranges(count, 1, [&](Range range) {
    forward_states(net, packed, biases, range, states, state_stride, activations, features);
  });
}

// Number of floats that cnn_backward() needs for the gradient sums of all parts.
EXPORT std::int64_t cnn_gradient_sums_size(int side) {
  return std::int64_t(kParts) * GradientSums::size(Network(side));
}

// Computes the gradients of weights and biases, float in torch's order, from `grad_features`.
EXPORT void cnn_backward(ThreadPool* pool, int side, std::int64_t count, const std::uint8_t* states,
                         std::int64_t state_stride, float16_t* weights,
                         const float16_t* activations, const float* grad_features, float* sums,
                         float* const* grad_weights, float* const* grad_biases) {
  const Network net(side);
  const Weights packed(net, weights);
  const float scale = gradient_scale(grad_features, count * net.third.out_size());
  const std::size_t size = GradientSums::size(net);
  pool->parallel_for(kParts, [&](int part) {
    std::fill_n(sums + part * size, size, 0.0f);
    backward_states(net, packed, Range(count, part, kParts), states, state_stride, activations,
                    grad_features, scale, GradientSums(net, sums + part * size));
  });
  pool->parallel_for_ranges(size, kMinElements, [&](Range range) {
    for (int part = 1; part < kParts; ++part)
      for (auto n = range.first; n < range.last; ++n) sums[n] += sums[part * size + n];
  });
  GradientSums(net, sums).unpack(1 / scale, grad_weights, grad_biases);
}

}  // namespace compute
#endif
