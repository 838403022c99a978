#ifndef ENTREPOT_SERVICES_KV_TESTING_COLD_KV_ENGINE_H_
#define ENTREPOT_SERVICES_KV_TESTING_COLD_KV_ENGINE_H_

#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/types/span.h"
#include "services/kv/kv_engine.h"

namespace entrepot::kv {

// For tests: another engine as if nothing of it were in memory. Records which threads wait for its calls. Thread-safe.
class ColdKvEngine : public KvEngine {
 public:
  // `engine` must outlive it.
  explicit ColdKvEngine(KvEngine* engine) : engine_(engine) {}

  // The threads of the calls since Forget().
  std::set<std::thread::id> threads() const {
    absl::MutexLock lock(&mutex_);
    return threads_;
  }
  void Forget() {
    absl::MutexLock lock(&mutex_);
    threads_.clear();
  }

  absl::StatusOr<std::optional<std::string>> Get(absl::string_view key) override {
    Note();
    return engine_->Get(key);
  }
  absl::StatusOr<std::vector<std::optional<std::string>>> MultiGet(absl::Span<const std::string> keys) override {
    Note();
    return engine_->MultiGet(keys);
  }
  absl::StatusOr<std::vector<KeyValue>> Scan(const ScanOptions& options) override {
    Note();
    return engine_->Scan(options);
  }
  absl::Status Transact(std::vector<Lock> locks, const Function& fn, Durability durability) override {
    Note();
    return engine_->Transact(std::move(locks), fn, durability);
  }
  KvReader& in_memory() override { return nothing_; }

 private:
  class Nothing : public KvReader {
   public:
    absl::StatusOr<std::optional<std::string>> Get(absl::string_view) override { return NotInMemory(); }
    absl::StatusOr<std::vector<std::optional<std::string>>> MultiGet(absl::Span<const std::string>) override {
      return NotInMemory();
    }
    absl::StatusOr<std::vector<KeyValue>> Scan(const ScanOptions&) override { return NotInMemory(); }
  };

  void Note() {
    absl::MutexLock lock(&mutex_);
    threads_.insert(std::this_thread::get_id());
  }

  KvEngine* const engine_;
  Nothing nothing_;
  mutable absl::Mutex mutex_;
  std::set<std::thread::id> threads_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace entrepot::kv

#endif  // ENTREPOT_SERVICES_KV_TESTING_COLD_KV_ENGINE_H_
