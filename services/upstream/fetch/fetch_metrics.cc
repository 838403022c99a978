#include "services/upstream/fetch/fetch_metrics.h"

#include <utility>

namespace entrepot::upstream {
namespace {

prometheus::Family<prometheus::Counter>* Counters(prometheus::Registry& registry, const char* name, const char* help) {
  return &prometheus::BuildCounter().Name(name).Help(help).Register(registry);
}

}  // namespace

FetchMetrics::FetchMetrics(std::shared_ptr<prometheus::Registry> registry)
    : registry_(registry != nullptr ? std::move(registry) : std::make_shared<prometheus::Registry>()) {
  fetches_ = &prometheus::BuildGauge()
                  .Name("entrepot_upstream_fetches")
                  .Help("Fetches of blobs from upstreams that run or wait for their turn.")
                  .Register(*registry_)
                  .Add({});
  fetched_bytes_ =
      Counters(*registry_, "entrepot_upstream_fetched_bytes_total", "Bytes of blobs that upstreams have sent.");
  failures_ = Counters(*registry_, "entrepot_upstream_fetch_failures_total", "Fetches of blobs that failed, by kind.");
  coalesced_reads_ = Counters(*registry_, "entrepot_upstream_coalesced_reads_total",
                              "Reads of a blob that joined a fetch instead of starting one.");
  resumptions_ = Counters(*registry_, "entrepot_upstream_resumptions_total",
                          "Requests that went on with a fetch where the upstream had broken off.");
  awaited_fetches_ = Counters(*registry_, "entrepot_upstream_awaited_fetches_total",
                              "Fetches of blobs that waited for that of another upstream service.");
}

FetchMetrics::OfUpstream FetchMetrics::Of(const std::string& upstream) {
  return {.fetched_bytes = &fetched_bytes_->Add({{"upstream", upstream}}),
          .coalesced_reads = &coalesced_reads_->Add({{"upstream", upstream}}),
          .resumptions = &resumptions_->Add({{"upstream", upstream}}),
          .awaited_fetches = &awaited_fetches_->Add({{"upstream", upstream}})};
}

void FetchMetrics::CountFailure(const std::string& upstream, absl::string_view kind) {
  failures_->Add({{"upstream", upstream}, {"kind", std::string(kind)}}).Increment();
}

}  // namespace entrepot::upstream
