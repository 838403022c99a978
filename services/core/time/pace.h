#ifndef ENTREPOT_SERVICES_CORE_TIME_PACE_H_
#define ENTREPOT_SERVICES_CORE_TIME_PACE_H_

#include <cstdint>
#include <functional>

namespace entrepot {

// How background work leaves the machine to those who wait for an answer: called after each step with what it cost, it
// waits for as long as that was too much. false: stop here.
using Pace = std::function<bool(uint64_t operations, uint64_t bytes)>;

}  // namespace entrepot

#endif  // ENTREPOT_SERVICES_CORE_TIME_PACE_H_
