#ifndef ENTREPOT_SERVICES_UPSTREAM_FETCH_CLIENT_COUNTS_H_
#define ENTREPOT_SERVICES_UPSTREAM_FETCH_CLIENT_COUNTS_H_

#include <cstddef>
#include <limits>
#include <list>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/function_ref.h"

namespace entrepot::upstream {

// How much each client has of something that clients share. Not thread-safe.
class ClientCounts {
 public:
  void Add(const std::string& client) { ++counts_[client]; }
  // The client must have one.
  void Remove(const std::string& client) {
    const auto found = counts_.find(client);
    if (--found->second == 0) counts_.erase(found);
  }
  size_t Of(const std::string& client) const {
    const auto found = counts_.find(client);
    return found == counts_.end() ? 0 : found->second;
  }

 private:
  absl::flat_hash_map<std::string, size_t> counts_;  // No zeros.
};

// Of those that wait and may run, the first one whose client has the fewest running; end() if none may run. Each has a
// member `client`.
template <typename Waiting>
typename std::list<Waiting>::iterator FirstOfFewest(std::list<Waiting>& waiting, const ClientCounts& running,
                                                    absl::FunctionRef<bool(const Waiting&)> may_run) {
  auto best = waiting.end();
  size_t fewest = std::numeric_limits<size_t>::max();
  for (auto next = waiting.begin(); next != waiting.end() && fewest > 0; ++next) {
    if (!may_run(*next)) continue;
    const size_t count = running.Of(next->client);
    if (count >= fewest) continue;
    fewest = count;
    best = next;
  }
  return best;
}

}  // namespace entrepot::upstream

#endif  // ENTREPOT_SERVICES_UPSTREAM_FETCH_CLIENT_COUNTS_H_
