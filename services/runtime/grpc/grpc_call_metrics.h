#ifndef ENTREPOT_SERVICES_RUNTIME_GRPC_GRPC_CALL_METRICS_H_
#define ENTREPOT_SERVICES_RUNTIME_GRPC_GRPC_CALL_METRICS_H_

#include <array>
#include <atomic>
#include <memory>
#include <shared_mutex>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "grpcpp/support/status.h"
#include "prometheus/counter.h"
#include "prometheus/family.h"
#include "prometheus/histogram.h"
#include "prometheus/registry.h"

namespace entrepot::runtime {

// The counters and the histogram of the calls of one side, server or client. The metrics of a method are created once
// and kept: a call costs a look-up in a small map, three atomic additions and no allocation. Methods that are not of a
// protocol in the program are counted together as "other", so that no peer can grow the label without bound.
// Thread-safe.
class GrpcCallMetrics {
 public:
  class Method {
   public:
    Method(std::string name, GrpcCallMetrics* metrics);

    void CountStarted() { started_->Increment(); }
    void CountHandled(grpc::StatusCode code, absl::Duration took);

   private:
    static constexpr size_t kCodes = 17;

    const std::string name_;
    GrpcCallMetrics* const metrics_;
    prometheus::Counter* const started_;  // Null on the client side.
    prometheus::Histogram* const seconds_;
    std::array<std::atomic<prometheus::Counter*>, kCodes> handled_{};  // By code; null until the code occurs.
  };

  // The metrics are called entrepot_grpc_<side>_...; `side` is "server" or "client". Only a server counts started
  // calls.
  GrpcCallMetrics(absl::string_view side, const std::shared_ptr<prometheus::Registry>& registry);

  // The metrics of a method, such as "/entrepot.blob.v1.BlobService/Seal". They live as long as this object.
  Method& Of(absl::string_view method);

 private:
  const std::shared_ptr<prometheus::Registry> registry_;  // Keeps the families alive.
  prometheus::Family<prometheus::Counter>* const started_;
  prometheus::Family<prometheus::Counter>* const handled_;
  prometheus::Family<prometheus::Histogram>* const seconds_;

  std::shared_mutex mutex_;
  absl::flat_hash_map<std::string, std::unique_ptr<Method>> methods_;  // Guarded by mutex_.
};

}  // namespace entrepot::runtime

#endif  // ENTREPOT_SERVICES_RUNTIME_GRPC_GRPC_CALL_METRICS_H_
