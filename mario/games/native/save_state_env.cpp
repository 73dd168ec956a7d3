#include "save_state_env.h"

#include <algorithm>
#include <utility>

namespace nes {

SaveStateEnv::SaveStateEnv(EnvConfig config, int num_envs, int num_threads)
    : config_(checked(std::move(config), num_envs, num_threads)),
      demonstrations_(make_demonstration_states(config_)),
      runners_(make_runners(config_, demonstrations_, num_envs)),
      threads_(num_threads) {}

void SaveStateEnv::step(const std::vector<int>& envs, const std::int64_t* actions,
                        const SlotBuffers& buffers) {
  const auto task = [&](int row) {
    EnvRunner& runner = *runners_[envs[row]];
    buffers.rewards[row] = runner.step(actions[row]).reward;
    buffers.endings[row] = runner.game().ending();
    write(envs[row], row, buffers);
  };
  threads_.start(static_cast<int>(envs.size()), task, true);
  threads_.wait();
}

void SaveStateEnv::observe(const std::vector<int>& envs, const SlotBuffers& buffers) const {
  for (std::size_t row = 0; row < envs.size(); ++row) write(envs[row], row, buffers);
}

void SaveStateEnv::write(int env, std::size_t row, const SlotBuffers& buffers) const {
  const EnvRunner& runner = *runners_[env];
  runner.write_observation(buffers.observations + row * observation_bytes());
  const std::vector<std::int64_t>& info = runner.game().info();
  std::copy(info.begin(), info.end(), buffers.info + row * info.size());
}

}  // namespace nes
