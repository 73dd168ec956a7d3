#include "games.h"

#include <algorithm>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <utility>

namespace nes {
namespace {

Setup checked(Setup setup, int count, int threads) {
  const int actions = static_cast<int>(setup.masks.size());
  const View& view = setup.view;
  if (std::min({view.skip, view.stack, count, threads, actions}) < 1) {
    throw std::invalid_argument("masks, skip, stack, count and threads must be at least 1");
  }
  if (view.square < 0 || view.square > view.preprocess.size() / actions) {
    throw std::invalid_argument("there must be room for a square for each action");
  }
  return setup;
}

}  // namespace

Games::Games(Setup setup, int count, int threads)
    : setup_(checked(std::move(setup), count, threads)), pool_(threads) {
  std::shared_ptr<const Snapshot> opening;
  for (int i = 0; i < count; ++i) {
    auto game = std::make_unique<SuperMarioBros>(setup_.rom, setup_.target, setup_.stall_frames);
    if (opening == nullptr) opening = game->start_up();
    game->begin_at(opening);
    players_.push_back(std::make_unique<Player>(std::move(game), setup_.view, setup_.masks));
  }
}

void Games::start_step(const Rows& rows, bool waited_for) {
  check_actions(rows.actions, count());
  pool_.start(count(), [this, rows](int game) { step(game, rows); }, waited_for);
}

void Games::restore(const std::vector<Entry>& entries, std::uint8_t* observations,
                    std::int64_t* info) {
  for (const Entry& entry : entries) check(entry);
  const auto replay = [&](int game) {
    const Entry& entry = entries[game];
    const auto begin = entry.way.actions.begin(), played = begin + std::abs(entry.revisited);
    players_[game]->recall_farthest(entry.farthest.start, entry.farthest.actions);
    players_[game]->reset(entry.way.start, {begin, played}, entry.revisited < 0);
    for (auto action = played; action != entry.way.actions.end(); ++action) {
      players_[game]->step(*action);
    }
    tell(game, observations, info);
  };
  pool_.start(count(), replay, true);
  pool_.wait();
}

void Games::check_actions(const std::int64_t* actions, std::size_t count) const {
  const auto last = static_cast<std::int64_t>(setup_.masks.size()) - 1;
  for (std::size_t i = 0; i < count; ++i) {
    if (actions[i] >= 0 && actions[i] <= last) continue;
    throw std::invalid_argument("action must be in 0 to " + std::to_string(last) + ", got " +
                                std::to_string(actions[i]));
  }
}

void Games::check(const Entry& entry) const {
  const Actions& actions = entry.way.actions;
  check_actions(actions.data(), actions.size());
  check_actions(entry.farthest.actions.data(), entry.farthest.actions.size());
  const auto length = static_cast<std::int64_t>(actions.size());
  if (entry.revisited < -length || entry.revisited > length) {
    throw std::invalid_argument("of " + std::to_string(length) +
                                " actions, 0 to all are revisited, got " +
                                std::to_string(entry.revisited));
  }
}

void Games::step(int game, const Rows& rows) {
  Player& player = *players_[game];
  const NesGame::Frame step = player.step(rows.actions[game]);
  rows.rewards[game] = step.reward;
  rows.terminated[game] = step.terminated;
  rows.truncated[game] = step.truncated;
  if (step.terminated || step.truncated) {
    tell(game, rows.last_observations, rows.last_info);
    rows.last_endings[game] = player.game().why_ended();
    rows.last_returns[game] = player.earned();
    rows.last_lengths[game] =
        static_cast<std::int64_t>(player.actions().size()) - std::abs(player.revisited());
    player.reset_after_end({rows.noops[game], rows.seeds[game]}, rows.backs[game]);
  }
  tell(game, rows.observations, rows.info);
}

void Games::tell(int game, std::uint8_t* observations, std::int64_t* info) const {
  players_[game]->observe(observations + game * observation_bytes());
  for (const std::int64_t value : players_[game]->game().info()) {
    info[game] = value;
    info += count();
  }
  info[game] = players_[game]->revisited();
  info[count() + game] = players_[game]->farthest_told();
}

const std::vector<const char*>& Games::info_names() {
  static const std::vector<const char*> names = [] {
    std::vector<const char*> all = SuperMarioBros::kInfo;
    all.insert(all.end(), {"revisited", "farthest"});
    return all;
  }();
  return names;
}

}  // namespace nes
