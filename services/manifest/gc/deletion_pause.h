#ifndef ENTREPOT_SERVICES_MANIFEST_GC_DELETION_PAUSE_H_
#define ENTREPOT_SERVICES_MANIFEST_GC_DELETION_PAUSE_H_

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace entrepot::manifest {

// Lets any number of deletions through, or any number of those who want none meanwhile. Deletions do not wait: they can
// be made another time. Thread-safe.
class DeletionGate {
 public:
  // Waits for the deletions under way; none begins from now on.
  void Close();
  void Open();

  // One deletion, if it may be made now.
  class Passage {
   public:
    explicit Passage(DeletionGate* gate) : gate_(gate), is_open_(gate->Enter()) {}
    Passage(const Passage&) = delete;
    Passage& operator=(const Passage&) = delete;
    ~Passage() {
      if (is_open_) gate_->Leave();
    }
    bool is_open() const { return is_open_; }

   private:
    DeletionGate* const gate_;
    const bool is_open_;
  };

 private:
  bool Enter();
  void Leave();

  absl::Mutex mutex_;
  int closed_ ABSL_GUARDED_BY(mutex_) = 0;
  int passing_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_GC_DELETION_PAUSE_H_
