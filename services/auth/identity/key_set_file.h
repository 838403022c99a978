#ifndef ENTREPOT_SERVICES_AUTH_IDENTITY_KEY_SET_FILE_H_
#define ENTREPOT_SERVICES_AUTH_IDENTITY_KEY_SET_FILE_H_

#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "services/auth/identity/key_set_source.h"
#include "services/runtime/files/file_watcher.h"

namespace entrepot::auth {

// A key set from a file, which is read again on each call. If a new file cannot be used, that is logged, and the old
// keys stay in force.
class KeySetFile final : public KeySetSource {
 public:
  explicit KeySetFile(const std::string& path);

  absl::StatusOr<Keys> Get() override;
  absl::StatusOr<Keys> GetNewer() override { return Get(); }

 private:
  absl::Status Load(const absl::StatusOr<std::vector<std::string>>& contents);

  const std::string path_;
  absl::Mutex mutex_;
  Keys keys_ ABSL_GUARDED_BY(mutex_);
  runtime::FileWatcher watcher_;
};

}  // namespace entrepot::auth

#endif  // ENTREPOT_SERVICES_AUTH_IDENTITY_KEY_SET_FILE_H_
