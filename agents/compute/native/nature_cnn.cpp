// The convolutions of the DQN of Nature, forward and back, as plain C functions for ctypes.
#include <algorithm>
#include <array>
#include <vector>

#include "convolution.h"
#include "scale.h"
#include "thread_pool.h"

#define EXPORT extern "C" __attribute__((visibility("default")))

#ifdef HALVES
namespace halves {
namespace {

constexpr int kStack = 4, kBlock = 4;
constexpr int kPixelChannels = kStack * kBlock * kBlock;
constexpr float kPixel = 256;  // pixels are halves of 0 to 255 over 256, which is exact

struct Network {
  int side;
  Convolution first, second, third;

  explicit Network(int side)
      : side(side),
        first{side / kBlock, kPixelChannels, 2, 1, 32},
        second{first.out_side(), 32, 4, 2, 64},
        third{second.out_side(), 64, 3, 1, 64} {}

  // halves that are kept of a state: what comes out of each layer
  std::ptrdiff_t kept() const { return first.out_size() + second.out_size() + third.out_size(); }
};

std::int32_t row_of(const std::uint8_t* pixels) {
  std::int32_t four;
  __builtin_memcpy(&four, pixels, sizeof four);
  return four;
}

// Frames (4, side, side) as (side / 4, side / 4, 64), halves.
void blocks(const std::uint8_t* state, int side, half* out) {
  const int across = side / kBlock;
  const __m512 scale = _mm512_set1_ps(1 / kPixel);
  for (int y = 0; y < across; ++y) {
    for (int x = 0; x < across; ++x, out += kPixelChannels) {
      for (int frame = 0; frame < kStack; ++frame) {
        const std::uint8_t* at =
            state + (std::ptrdiff_t(frame) * side + y * kBlock) * side + x * kBlock;
        const __m512i pixels = _mm512_cvtepu8_epi32(_mm_setr_epi32(
            row_of(at), row_of(at + side), row_of(at + 2 * side), row_of(at + 3 * side)));
        store16(out + frame * 16, narrowed(_mm512_mul_ps(_mm512_cvtepi32_ps(pixels), scale)));
      }
    }
  }
}

half to_half(float number) { return _cvtss_sh(number, _MM_FROUND_TO_NEAREST_INT); }

// The place of the k-th term of a filter in torch's order, (channels, rows, columns).
int torch_term(const Convolution& c, bool pixels, int k) {
  const int row = k / c.span(), column = k % c.span() / c.in_channels, channel = k % c.in_channels;
  if (!pixels) return (channel * c.kernel + row) * c.kernel + column;
  const int frame = channel / 16, y = channel % 16 / 4, x = channel % 4;
  const int wide = c.kernel * kBlock;
  return (frame * wide + row * kBlock + y) * wide + column * kBlock + x;
}

// Some terms of torch's weights, float (out, channels, rows, columns), as halves (terms, out), and
// in panels of (out, kPanel).
void take_weights(const Convolution& c, bool pixels, Stripe some, const float* from, half* down,
                  half* across) {
  const float scale = pixels ? kPixel / 255 : 1;
  for (int k = int(some.first); k < some.last; ++k) {
    const int term = torch_term(c, pixels, k);
    for (int n = 0; n < c.out_channels; ++n) {
      const half number = to_half(from[n * c.terms() + term] * scale);
      down[k * c.out_channels + n] = number;
      if (across) across[(k / kPanel * c.out_channels + n) * kPanel + k % kPanel] = number;
    }
  }
}

// A gradient, (terms, out), in torch's order, (out, terms).
void give_gradient(const Convolution& c, bool pixels, const float* from, float scale, float* to) {
  const float factor = scale * (pixels ? kPixel / 255 : 1);
  for (int k = 0; k < c.terms(); ++k) {
    const int term = torch_term(c, pixels, k);
    for (int n = 0; n < c.out_channels; ++n)
      to[n * c.terms() + term] = from[k * c.out_channels + n] * factor;
  }
}

// The layers of weights, one after the other: those (terms, out), then two in panels.
struct Weights {
  half *first, *second, *third, *second_across, *third_across;

  Weights(const Network& net, half* all)
      : first(all),
        second(first + net.first.weights()),
        third(second + net.second.weights()),
        second_across(third + net.third.weights()),
        third_across(second_across + net.second.weights()) {}
};

// (channels, places) as (places, channels).
void turn(const half* from, const Convolution& c, half* to) {
  for (int n = 0; n < c.out_channels; ++n)
    for (int p = 0; p < c.places(); ++p) to[p * c.out_channels + n] = from[n * c.places() + p];
}

// From the gradient of what the third layer gave, those of what the others gave. All of `back` is
// in the order of `kept`, and not yet masked.
void pass_back(const Network& net, const Weights& by, const half* kept, half* back) {
  const std::ptrdiff_t two = net.first.out_size(), three = two + net.second.out_size();
  mask(kept + three, back + three, net.third.out_size());
  input_gradient(net.third, by.third_across, back + three, back + two);
  mask(kept + two, back + two, net.second.out_size());
  input_gradient(net.second, by.second_across, back + two, back);
  mask(kept, back, net.first.out_size());
}

// Sums of gradients over pictures: of each layer's weights, (terms, out), and of its biases.
class Sums {
 public:
  static std::size_t size(const Network& net) {
    std::size_t all = 0;
    for (const Convolution* c : layers(net)) all += c->weights() + c->out_channels;
    return all;
  }

  // At `size` floats.
  Sums(const Network& net, float* at) : net_(net) {
    for (int n = 0; n < kLayers; ++n) {
      weights_[n] = at;
      biases_[n] = at + layers(net)[n]->weights();
      at = biases_[n] + layers(net)[n]->out_channels;
    }
  }

  // Adds those of some pictures: of `backs`, the gradients of what is in `kept`, in its order.
  void add(int pictures, const half* pixels, const half* kept, const half* backs) {
    const std::ptrdiff_t two = net_.first.out_size(), three = two + net_.second.out_size();
    const std::ptrdiff_t apart = net_.kept();
    weight_gradient<1>(net_.first, {pictures, pixels, net_.first.in_size(), backs, apart},
                       weights_[0], biases_[0]);
    weight_gradient<2>(net_.second, {pictures, kept, apart, backs + two, apart}, weights_[1],
                       biases_[1]);
    weight_gradient<2>(net_.third, {pictures, kept + two, apart, backs + three, apart},
                       weights_[2], biases_[2]);
  }

  void give(float factor, float* const* weights, float* const* biases) const {
    for (int n = 0; n < kLayers; ++n) {
      const Convolution& layer = *layers(net_)[n];
      give_gradient(layer, n == 0, weights_[n], factor, weights[n]);
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

// The features of some states, see `cnn_forward`.
void see(const Network& net, const Weights& by, const float* const* biases, Stripe some,
         const std::uint8_t* states, std::int64_t apart, half* kept, float* features) {
  static thread_local std::vector<half> buffer;
  static thread_local std::vector<float> floats;
  half* pixels = scratch(buffer, net.first.in_size());
  float* wide = scratch(floats, net.third.out_size());
  const int places = net.third.places(), channels = net.third.out_channels;
  for (auto s = some.first; s < some.last; ++s) {
    half* one = kept + s * net.kept();
    half* two = one + net.first.out_size();
    half* three = two + net.second.out_size();
    blocks(states + s * apart, net.side, pixels);
    forward<1>(net.first, pixels, by.first, biases[0], one);
    forward<2>(net.second, one, by.second, biases[1], two);
    forward<2>(net.third, two, by.third, biases[2], three);
    for (int n = 0; n < net.third.out_size(); n += 16)
      _mm512_store_ps(wide + n, widened(load16(three + n)));
    float* to = features + s * net.third.out_size();
    for (int n = 0; n < channels; ++n)
      for (int p = 0; p < places; ++p) to[n * places + p] = wide[p * channels + n];
  }
}

// Adds to `sums` what some states' gradients of features contribute, see `cnn_backward`.
void learn(const Network& net, const Weights& by, Stripe some, const std::uint8_t* states,
           std::int64_t apart, const half* kept, const float* features_back, float scale,
           Sums sums) {
  static thread_local std::vector<half> buffer;
  const std::ptrdiff_t kept_size = net.kept(), pixel_size = net.first.in_size();
  half* pixels = scratch(buffer, kGroup * (pixel_size + kept_size) + net.third.out_size());
  half* backs = pixels + kGroup * pixel_size;  // each as `kept` is
  half* across = backs + kGroup * kept_size;
  const std::ptrdiff_t three = net.first.out_size() + net.second.out_size();
  for (auto s = some.first; s < some.last; s += kGroup) {
    const int group = int(std::min<std::int64_t>(kGroup, some.last - s));
    for (int i = 0; i < group; ++i) {
      blocks(states + (s + i) * apart, net.side, pixels + i * pixel_size);
      narrow(features_back + (s + i) * net.third.out_size(), net.third.out_size(), scale, across);
      half* back = backs + i * kept_size;
      turn(across, net.third, back + three);
      pass_back(net, by, kept + (s + i) * kept_size, back);
    }
    sums.add(group, pixels, kept + s * kept_size, backs);
  }
}

}  // namespace

// How many halves `cnn_weights` writes.
EXPORT std::int64_t cnn_weight_count(int side) {
  const Network net(side);
  return net.first.weights() + 2 * (net.second.weights() + net.third.weights());
}

EXPORT void cnn_weights(ThreadPool* pool, int side, const float* first, const float* second,
                        const float* third, half* all) {
  const Network net(side);
  const Weights to(net, all);
  pool->share(kParts, [&](int part) {
    const auto some = [&](const Convolution& c) { return Stripe(c.terms(), part, kParts); };
    take_weights(net.first, true, some(net.first), first, to.first, nullptr);
    take_weights(net.second, false, some(net.second), second, to.second, to.second_across);
    take_weights(net.third, false, some(net.third), third, to.third, to.third_across);
  });
}

// How many halves of each state `cnn_forward` keeps for `cnn_backward`.
EXPORT std::int64_t cnn_kept_count(int side) {
  return Network(side).kept();
}

// Features, float (count, channels * places), of states `apart` bytes from each other.
EXPORT void cnn_forward(ThreadPool* pool, int side, std::int64_t count, const std::uint8_t* states,
                        std::int64_t apart, half* weights, const float* const* biases, half* kept,
                        float* features) {
  const Network net(side);
  const Weights by(net, weights);
  pool->share_rows(count, 1, [&](Stripe some) {
    see(net, by, biases, some, states, apart, kept, features);
  });
}

// How many floats `cnn_backward` needs to add up what each part comes to.
EXPORT std::int64_t cnn_sums_count(int side) {
  return std::int64_t(kParts) * Sums::size(Network(side));
}

// Gradients of weights and biases, float, in torch's order, of the gradient of the features.
EXPORT void cnn_backward(ThreadPool* pool, int side, std::int64_t count, const std::uint8_t* states,
                         std::int64_t apart, half* weights, const half* kept,
                         const float* features_back, float* sums, float* const* weights_back,
                         float* const* biases_back) {
  const Network net(side);
  const Weights by(net, weights);
  const float scale = power_of_two_for(features_back, count * net.third.out_size());
  const std::size_t size = Sums::size(net);
  pool->share(kParts, [&](int part) {
    std::fill_n(sums + part * size, size, 0.0f);
    learn(net, by, Stripe(count, part, kParts), states, apart, kept, features_back, scale,
          Sums(net, sums + part * size));
  });
  pool->share_rows(size, kSome, [&](Stripe some) {
    for (int part = 1; part < kParts; ++part)
      for (auto n = some.first; n < some.last; ++n) sums[n] += sums[part * size + n];
  });
  Sums(net, sums).give(1 / scale, weights_back, biases_back);
}

}  // namespace halves
#endif
