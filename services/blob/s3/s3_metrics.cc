#include "services/blob/s3/s3_metrics.h"

#include <string>

namespace entrepot::blob::s3 {

S3Metrics::S3Metrics(prometheus::Registry& registry)
    : requests_(prometheus::BuildHistogram()
                    .Name("entrepot_s3_request_duration_seconds")
                    .Help("Duration of requests to the S3 server until the header of the answer, each try by itself.")
                    .Register(registry)),
      upload_memory_(&prometheus::BuildGauge()
                          .Name("entrepot_s3_upload_memory_bytes")
                          .Help("Memory of parts of uploads that the S3 server does not have yet.")
                          .Register(registry)
                          .Add({})),
      redirects_(&prometheus::BuildCounter()
                      .Name("entrepot_s3_redirects_total")
                      .Help("Pulls whose clients were sent to the S3 server for the bytes.")
                      .Register(registry)
                      .Add({})) {
  auto& refused = prometheus::BuildCounter()
                      .Name("entrepot_s3_upload_memory_refused_total")
                      .Help("Bytes of uploads refused because memory was used up: in sum, or the share of an owner.")
                      .Register(registry);
  refused_memory_[static_cast<int>(MemoryLimit::kSum)] = &refused.Add({{"reason", "sum"}});
  refused_memory_[static_cast<int>(MemoryLimit::kShare)] = &refused.Add({{"reason", "share"}});
  auto& lost = prometheus::BuildCounter()
                   .Name("entrepot_s3_connections_taken_total")
                   .Help("Pulls whose connection to the S3 server was given to another request.")
                   .Register(registry);
  lost_[static_cast<int>(outbound::LostConnection::kUnread)] = &lost.Add({{"reason", "unread"}});
  lost_[static_cast<int>(outbound::LostConnection::kShare)] = &lost.Add({{"reason", "share"}});
}

void S3Metrics::Observe(absl::string_view operation, absl::string_view result, absl::Duration duration) {
  requests_
      .Add({{"operation", std::string(operation)}, {"result", std::string(result)}},
           prometheus::Histogram::BucketBoundaries{0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100})
      .Observe(absl::ToDoubleSeconds(duration));
}

}  // namespace entrepot::blob::s3
