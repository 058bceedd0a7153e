#include "adze/quantize/allocate.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace adze::quantize {

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

Allocation total_of(const std::vector<std::vector<Choice>>& layers, std::vector<std::size_t> chosen) {
  Allocation allocation;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    allocation.cost += layers[i][chosen[i]].cost;
    allocation.damage += layers[i][chosen[i]].damage;
  }
  allocation.chosen = std::move(chosen);
  return allocation;
}

/// The largest unit that divides all costs, or the one that leaves 2^16 of them.
std::int64_t unit_of(const std::vector<std::vector<Choice>>& layers, std::int64_t budget) {
  constexpr std::int64_t most_units = 1 << 16;
  std::int64_t common = 0;
  for (const auto& layer : layers) {
    for (const Choice& choice : layer) common = std::gcd(common, choice.cost);
  }
  return std::max<std::int64_t>({1, common, (budget + most_units - 1) / most_units});
}

std::vector<std::size_t> best_at(const std::vector<std::vector<Choice>>& layers, double multiplier) {
  std::vector<std::size_t> chosen;
  for (const auto& layer : layers) {
    std::size_t best = 0;
    const auto price = [&](const Choice& choice) {
      return choice.damage + multiplier * static_cast<double>(choice.cost);
    };
    for (std::size_t i = 1; i < layer.size(); ++i) {
      if (price(layer[i]) < price(layer[best]) ||
          (price(layer[i]) == price(layer[best]) && layer[i].cost < layer[best].cost)) {
        best = i;
      }
    }
    chosen.push_back(best);
  }
  return chosen;
}

/// Takes the change with the most damage saved for its cost, as long as one fits.
void spend_rest(const std::vector<std::vector<Choice>>& layers, std::int64_t budget, Allocation& allocation) {
  while (true) {
    double best = 0;
    std::size_t layer = 0, choice = 0;
    for (std::size_t i = 0; i < layers.size(); ++i) {
      const Choice& now = layers[i][allocation.chosen[i]];
      for (std::size_t k = 0; k < layers[i].size(); ++k) {
        const std::int64_t more = layers[i][k].cost - now.cost;
        const double saved = now.damage - layers[i][k].damage;
        if (saved <= 0 || more > budget - allocation.cost) continue;
        const double rate = more <= 0 ? infinity : saved / static_cast<double>(more);
        if (rate <= best) continue;
        best = rate;
        layer = i;
        choice = k;
      }
    }
    if (best == 0) return;
    allocation.chosen[layer] = choice;
    const double bound = allocation.bound;
    allocation = total_of(layers, std::move(allocation.chosen));
    allocation.bound = bound;
  }
}

}  // namespace

Allocation allocate_by_multiplier(const std::vector<std::vector<Choice>>& layers, std::int64_t budget) {
  const double enough = 1e30;
  Allocation cheapest = total_of(layers, best_at(layers, enough));
  if (cheapest.cost > budget) return {};
  Allocation best = total_of(layers, best_at(layers, 0));
  if (best.cost <= budget) {
    best.bound = best.damage;
    return best;
  }
  double low = 0, high = enough, bound = -infinity;
  best = cheapest;
  for (int step = 0; step < 200; ++step) {
    const double middle = low > 0 ? std::sqrt(low) * std::sqrt(high) : high / 1e60;
    Allocation tried = total_of(layers, best_at(layers, middle));
    bound = std::max(bound, tried.damage + middle * static_cast<double>(tried.cost - budget));
    if (tried.cost <= budget) {
      high = middle;
      if (tried.damage < best.damage) best = std::move(tried);
    } else {
      low = middle;
    }
  }
  best.bound = bound;
  spend_rest(layers, budget, best);
  return best;
}

Allocation allocate_exactly(const std::vector<std::vector<Choice>>& layers, std::int64_t budget) {
  const std::int64_t unit = unit_of(layers, budget);
  const auto room = static_cast<std::size_t>(std::max<std::int64_t>(0, budget) / unit);
  std::vector<double> least(room + 1, 0.0);  // with the layers so far, by units spent at most
  std::vector<std::vector<std::uint8_t>> taken;
  for (const auto& layer : layers) {
    std::vector<double> next(room + 1, infinity);
    std::vector<std::uint8_t> choice(room + 1, 0);
    for (std::size_t k = 0; k < layer.size(); ++k) {
      const auto units = static_cast<std::size_t>((layer[k].cost + unit - 1) / unit);
      for (std::size_t spent = units; spent <= room; ++spent) {
        const double damage = least[spent - units] + layer[k].damage;
        if (damage >= next[spent]) continue;
        next[spent] = damage;
        choice[spent] = static_cast<std::uint8_t>(k);
      }
    }
    least = std::move(next);
    taken.push_back(std::move(choice));
  }
  if (least[room] == infinity) return {};
  std::vector<std::size_t> chosen(layers.size());
  std::size_t left = room;
  for (std::size_t i = layers.size(); i-- > 0;) {
    chosen[i] = taken[i][left];
    left -= static_cast<std::size_t>((layers[i][chosen[i]].cost + unit - 1) / unit);
  }
  Allocation allocation = total_of(layers, std::move(chosen));
  allocation.bound = allocation.damage;
  return allocation;
}

}  // namespace adze::quantize
