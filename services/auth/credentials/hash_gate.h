#ifndef ENTREPOT_SERVICES_AUTH_CREDENTIALS_HASH_GATE_H_
#define ENTREPOT_SERVICES_AUTH_CREDENTIALS_HASH_GATE_H_

#include <cstddef>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"

namespace entrepot::auth {

// Lets in so many at once and so many more wait; turns away the rest. Hashing a password costs a core for as long as it
// takes, which nobody who only asks for a token may have as often as he likes. Thread-safe.
class HashGate {
 public:
  // While it lives its owner is in.
  class Turn {
   public:
    explicit Turn(HashGate* gate) : gate_(gate) {}
    Turn(Turn&& other) noexcept : gate_(std::exchange(other.gate_, nullptr)) {}
    Turn& operator=(Turn&&) = delete;
    ~Turn() {
      if (gate_ != nullptr) gate_->Leave();
    }

   private:
    HashGate* gate_;
  };

  HashGate(size_t inside_max, size_t waiting_max) : inside_max_(inside_max), waiting_max_(waiting_max) {}

  HashGate(const HashGate&) = delete;
  HashGate& operator=(const HashGate&) = delete;

  // Waits for a turn. kResourceExhausted (TOOMANYREQUESTS): too many wait already.
  absl::StatusOr<Turn> Enter();

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
