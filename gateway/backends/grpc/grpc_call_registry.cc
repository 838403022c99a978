#include "gateway/backends/grpc/grpc_call_registry.h"

#include <vector>

namespace entrepot::gateway {

GrpcCallRegistry::~GrpcCallRegistry() { CancelAll(); }

void GrpcCallRegistry::Add(const std::shared_ptr<GrpcCall>& call) {
  absl::MutexLock lock(&mutex_);
  calls_.emplace(call.get(), call);
}

void GrpcCallRegistry::Remove(GrpcCall* call) {
  absl::MutexLock lock(&mutex_);
  calls_.erase(call);
}

void GrpcCallRegistry::CancelAll() {
  std::vector<std::shared_ptr<GrpcCall>> calls;
  {
    absl::MutexLock lock(&mutex_);
    for (const auto& [key, call] : calls_) calls.push_back(call);
  }
  // Without the lock, because Cancel() may run a callback.
  for (const auto& call : calls) call->Cancel();
  calls.clear();
  absl::MutexLock lock(&mutex_);
  mutex_.Await(absl::Condition(
      +[](decltype(calls_)* left) { return left->empty(); }, &calls_));
}

}  // namespace entrepot::gateway
