#ifndef ENTREPOT_SERVICES_RUNTIME_FILES_SETTLING_H_
#define ENTREPOT_SERVICES_RUNTIME_FILES_SETTLING_H_

#include <chrono>
#include <string>
#include <utility>

namespace entrepot::runtime {

// Helps to decide when a file that is being written is complete: once it has not changed for a time. An editor or a
// program that writes a file in place may pause in between, and what it has written so far may be valid. Used by one
// thread.
class Settling {
 public:
  using Clock = std::chrono::steady_clock;

  // For how long the contents, given by their fingerprint, have been the same at each call; 0 if they have just
  // changed.
  Clock::duration Unchanged(std::string fingerprint, Clock::time_point now) {
    if (fingerprint != fingerprint_) {
      fingerprint_ = std::move(fingerprint);
      since_ = now;
    }
    return now - since_;
  }

 private:
  std::string fingerprint_;
  Clock::time_point since_;
};

}  // namespace entrepot::runtime

#endif  // ENTREPOT_SERVICES_RUNTIME_FILES_SETTLING_H_
