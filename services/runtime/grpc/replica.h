#ifndef ENTREPOT_SERVICES_RUNTIME_GRPC_REPLICA_H_
#define ENTREPOT_SERVICES_RUNTIME_GRPC_REPLICA_H_

#include <atomic>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "grpcpp/channel.h"
#include "grpcpp/client_context.h"

namespace entrepot::runtime {

// One process of a service, its channel, and the calls to it that are under way. Thread-safe.
class Replica {
 public:
  Replica(std::string target, std::shared_ptr<grpc::Channel> channel)
      : target_(std::move(target)), channel_(std::move(channel)) {}
  Replica(const Replica&) = delete;
  Replica& operator=(const Replica&) = delete;

  // A target of gRPC, such as "127.0.0.1:5011" or "ipv4:10.0.0.1:5011".
  const std::string& target() const { return target_; }
  const std::shared_ptr<grpc::Channel>& channel() const { return channel_; }

  // A stub, made once for each service.
  template <typename Service>
  typename Service::StubInterface& Stub() {
    static constexpr char kService = 0;  // Its address identifies the service.
    const absl::MutexLock lock(&mutex_);
    std::shared_ptr<void>& stub = stubs_[&kService];
    if (stub == nullptr) {
      stub = std::shared_ptr<typename Service::StubInterface>(
          std::unique_ptr<typename Service::StubInterface>(Service::NewStub(channel_)));
    }
    return *static_cast<typename Service::StubInterface*>(stub.get());
  }

  // Counts the calls from their choice of this replica to their end.
  void CountCall() { calls_under_way_.fetch_add(1, std::memory_order_relaxed); }
  void CountEnd() { calls_under_way_.fetch_sub(1, std::memory_order_relaxed); }
  size_t calls_under_way() const { return calls_under_way_.load(std::memory_order_relaxed); }

  // `call` is any pointer that no other call under way has.
  void Add(const void* call, std::weak_ptr<grpc::ClientContext> context) {
    const absl::MutexLock lock(&mutex_);
    calls_[call] = {.context = std::move(context), .given_up = false};
  }
  // Returns whether GiveUpCalls() has cancelled the call.
  bool Remove(const void* call) {
    const absl::MutexLock lock(&mutex_);
    const auto found = calls_.find(call);
    if (found == calls_.end()) return false;
    const bool given_up = found->second.given_up;
    calls_.erase(found);
    return given_up;
  }
  // Cancels the calls under way.
  void GiveUpCalls();

 private:
  struct Call {
    std::weak_ptr<grpc::ClientContext> context;
    bool given_up;
  };

  const std::string target_;
  const std::shared_ptr<grpc::Channel> channel_;
  std::atomic<size_t> calls_under_way_ = 0;
  absl::Mutex mutex_;
  absl::flat_hash_map<const void*, std::shared_ptr<void>> stubs_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<const void*, Call> calls_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace entrepot::runtime

#endif  // ENTREPOT_SERVICES_RUNTIME_GRPC_REPLICA_H_
