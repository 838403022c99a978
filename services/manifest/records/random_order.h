#ifndef ENTREPOT_SERVICES_MANIFEST_RECORDS_RANDOM_ORDER_H_
#define ENTREPOT_SERVICES_MANIFEST_RECORDS_RANDOM_ORDER_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

namespace entrepot::manifest {

// Gives 64 random bits at each call. Injected: what is done in a random order is done in the same one again where a
// test wants that.
using RandomBits = std::function<uint64_t()>;

template <typename T>
void PutInRandomOrder(const RandomBits& random, std::vector<T>* items) {
  for (size_t left = items->size(); left > 1; --left) std::swap((*items)[left - 1], (*items)[random() % left]);
}

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_RECORDS_RANDOM_ORDER_H_
