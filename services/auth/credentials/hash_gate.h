#ifndef ENTREPOT_SERVICES_AUTH_CREDENTIALS_HASH_GATE_H_
#define ENTREPOT_SERVICES_AUTH_CREDENTIALS_HASH_GATE_H_

#include <cstddef>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"

namespace entrepot::auth {

// Limits how many passwords are hashed at once. Up to `inside_max` threads are inside, up to `waiting_max` wait, and
// further ones are rejected. Hashing occupies a core, so requests for tokens must not be able to start it without
// limit. Thread-safe.
class HashGate {
 public:
  // Its owner is inside while it exists.
  class Slot {
   public:
    explicit Slot(HashGate* gate) : gate_(gate) {}
    Slot(Slot&& other) noexcept : gate_(std::exchange(other.gate_, nullptr)) {}
    Slot& operator=(Slot&&) = delete;
    ~Slot() {
      if (gate_ != nullptr) gate_->Leave();
    }

   private:
    HashGate* gate_;
  };

  HashGate(size_t inside_max, size_t waiting_max) : inside_max_(inside_max), waiting_max_(waiting_max) {}

  HashGate(const HashGate&) = delete;
  HashGate& operator=(const HashGate&) = delete;

  // Waits for a slot. kResourceExhausted (TOOMANYREQUESTS): too many threads wait already.
  absl::StatusOr<Slot> Enter();

  size_t inside() const;
  size_t waiting() const;

 private:
  void Leave();

  const size_t inside_max_;
  const size_t waiting_max_;
  mutable absl::Mutex mutex_;
  size_t inside_ ABSL_GUARDED_BY(mutex_) = 0;
  size_t waiting_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace entrepot::auth

#endif  // ENTREPOT_SERVICES_AUTH_CREDENTIALS_HASH_GATE_H_
