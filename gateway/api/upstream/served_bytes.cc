#include "gateway/api/upstream/served_bytes.h"

#include <cstddef>

#include "absl/strings/string_view.h"

namespace entrepot::gateway::api {

ServedBytes::ServedBytes(const std::shared_ptr<prometheus::Registry>& registry)
    : registry_(registry),
      family_(prometheus::BuildCounter()
                  .Name("entrepot_upstream_served_bytes_total")
                  .Help("Bytes of blobs of upstreams that were sent to clients.")
                  .Register(*registry_)) {}

prometheus::Counter& ServedBytes::Of(const RepositoryName& repository, Source source) {
  const std::string& name = repository.ToString();
  // A cached repository begins with its upstream's name, which the upstreams file bounds, not the client.
  const absl::string_view upstream = absl::string_view(name).substr(0, name.find('/'));
  const size_t index = static_cast<size_t>(source);
  {
    const absl::ReaderMutexLock lock(&mutex_);
    if (const auto found = counters_.find(upstream); found != counters_.end()) return *found->second[index];
  }
  const absl::MutexLock lock(&mutex_);
  const auto [added, is_new] = counters_.try_emplace(std::string(upstream));
  if (is_new) added->second = MakeCounters(added->first);
  return *added->second[index];
}

ServedBytes::Counters ServedBytes::MakeCounters(const std::string& upstream) {
  return {&family_.Add({{"upstream", upstream}, {"source", "stored"}}),
          &family_.Add({{"upstream", upstream}, {"source", "fetched"}})};
}

}  // namespace entrepot::gateway::api
