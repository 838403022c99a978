#ifndef ENTREPOT_SERVICES_BLOB_S3_S3_METRICS_H_
#define ENTREPOT_SERVICES_BLOB_S3_S3_METRICS_H_

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "prometheus/counter.h"
#include "prometheus/family.h"
#include "prometheus/gauge.h"
#include "prometheus/histogram.h"
#include "prometheus/registry.h"
#include "services/outbound/curl_transport.h"

namespace entrepot::blob::s3 {

// The bound on the memory of uploads that refuses bytes: in sum, or the share of an account or address.
enum class MemoryLimit { kSum, kShare };

// The metrics of an S3 store. Their names and help texts are in the source. Thread-safe.
class S3Metrics {
 public:
  // `registry` outlives this.
  explicit S3Metrics(prometheus::Registry& registry);

  // One try of a request. `result` is "ok" (also for a missing object), "refused" (another 4xx), "busy" (429, 503),
  // "failed" (no answer, 5xx) or "unsent" (all connections are in use).
  void Observe(absl::string_view operation, absl::string_view result, absl::Duration duration);
  prometheus::Gauge* upload_memory() { return upload_memory_; }
  void CountRefusedMemory(MemoryLimit limit) { refused_memory_[static_cast<int>(limit)]->Increment(); }
  prometheus::Counter* redirects() { return redirects_; }
  void CountLostConnection(outbound::LostConnection reason) { lost_[static_cast<int>(reason)]->Increment(); }

 private:
  prometheus::Family<prometheus::Histogram>& requests_;
  prometheus::Gauge* const upload_memory_;
  prometheus::Counter* refused_memory_[2];
  prometheus::Counter* const redirects_;
  prometheus::Counter* lost_[2];
};

}  // namespace entrepot::blob::s3

#endif  // ENTREPOT_SERVICES_BLOB_S3_S3_METRICS_H_
