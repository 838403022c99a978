#ifndef ENTREPOT_TESTS_SIMULATION_RANDOM_H_
#define ENTREPOT_TESTS_SIMULATION_RANDOM_H_

#include <cstddef>
#include <cstdint>

namespace entrepot::simulation {

// Random numbers that are the same for the same seed on every machine and with every library (splitmix64).
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed * 0x9e3779b97f4a7c15ull + 0x2545f4914f6cdd1dull) {}

  uint64_t Next() {
    uint64_t z = (state_ += 0x9e3779b97f4a7c15ull);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return z ^ (z >> 31);
  }
  // A number from 0 to n - 1.
  size_t Below(size_t n) { return static_cast<size_t>(Next() % n); }
  // True once in `n` times on average; never if `n` is 0.
  bool OneIn(uint64_t n) { return n != 0 && Next() % n == 0; }
  template <typename Container>
  auto& Of(Container& container) {
    return container[Below(std::size(container))];
  }

 private:
  uint64_t state_;
};

}  // namespace entrepot::simulation

#endif  // ENTREPOT_TESTS_SIMULATION_RANDOM_H_
