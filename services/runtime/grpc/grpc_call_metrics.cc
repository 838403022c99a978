#include "services/runtime/grpc/grpc_call_metrics.h"

#include <mutex>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "google/protobuf/descriptor.h"

namespace entrepot::runtime {
namespace {

const prometheus::Histogram::BucketBoundaries& SecondsBuckets() {
  static const auto& buckets = *new prometheus::Histogram::BucketBoundaries{
      0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300};
  return buckets;
}

// Whether this is "/package.Service/Method" of a protocol that is linked into the program. gRPC's own health service
// has no descriptor.
bool IsKnown(absl::string_view method) {
  if (method == "/grpc.health.v1.Health/Check" || method == "/grpc.health.v1.Health/Watch") return true;
  const std::string name = absl::StrReplaceAll(absl::StripPrefix(method, "/"), {{"/", "."}});
  return google::protobuf::DescriptorPool::generated_pool()->FindMethodByName(name) != nullptr;
}

}  // namespace

GrpcCallMetrics::GrpcCallMetrics(absl::string_view side, const std::shared_ptr<prometheus::Registry>& registry)
    : registry_(registry),
      started_(side == "server" ? &prometheus::BuildCounter()
                                       .Name("entrepot_grpc_server_started_total")
                                       .Help("Calls that started.")
                                       .Register(*registry)
                                : nullptr),
      handled_(&prometheus::BuildCounter()
                    .Name(absl::StrCat("entrepot_grpc_", side, "_handled_total"))
                    .Help("Calls that ended, by status.")
                    .Register(*registry)),
      seconds_(&prometheus::BuildHistogram()
                    .Name(absl::StrCat("entrepot_grpc_", side, "_handling_seconds"))
                    .Help("Time from the start of a call to its status.")
                    .Register(*registry)) {}

GrpcCallMetrics::Method& GrpcCallMetrics::Of(absl::string_view method) {
  {
    std::shared_lock lock(mutex_);
    if (const auto found = methods_.find(method); found != methods_.end()) return *found->second;
  }
  if (!IsKnown(method)) method = "other";
  std::unique_lock lock(mutex_);
  std::unique_ptr<Method>& kept = methods_[method];
  if (kept == nullptr) kept = std::make_unique<Method>(std::string(method), this);
  return *kept;
}

GrpcCallMetrics::Method::Method(std::string name, GrpcCallMetrics* metrics)
    : name_(std::move(name)),
      metrics_(metrics),
      started_(metrics->started_ == nullptr ? nullptr : &metrics->started_->Add({{"method", name_}})),
      seconds_(&metrics->seconds_->Add({{"method", name_}}, SecondsBuckets())) {}

void GrpcCallMetrics::Method::CountHandled(grpc::StatusCode code, absl::Duration took) {
  // A peer may send any code.
  if (code < 0 || static_cast<size_t>(code) >= kCodes) code = grpc::StatusCode::UNKNOWN;
  const size_t at = static_cast<size_t>(code);
  prometheus::Counter* counter = handled_[at].load(std::memory_order_acquire);
  if (counter == nullptr) {
    // gRPC's codes equal Abseil's. Two threads that create the counter at the same time get the same one.
    const std::string name = absl::StatusCodeToString(static_cast<absl::StatusCode>(at));
    counter = &metrics_->handled_->Add({{"method", name_}, {"code", name}});
    handled_[at].store(counter, std::memory_order_release);
  }
  counter->Increment();
  seconds_->Observe(absl::ToDoubleSeconds(took));
}

}  // namespace entrepot::runtime
