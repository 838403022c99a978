#ifndef ENTREPOT_SERVICES_AUTH_ACCOUNTS_ACCOUNTS_FILE_H_
#define ENTREPOT_SERVICES_AUTH_ACCOUNTS_ACCOUNTS_FILE_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "prometheus/counter.h"
#include "prometheus/registry.h"
#include "services/auth/credentials/htpasswd.h"
#include "services/runtime/files/file_watcher.h"

namespace entrepot::auth {

// The file of users with the hashes of their passwords, read again when it changes. If a new file cannot be used, that
// is logged, and the old one stays in force. Loads are counted (entrepot_accounts_reloads_total{result}). Thread-safe.
class AccountsFile {
 public:
  struct Contents {
    PasswordHashes users;
    int cost_max = 0;  // The highest cost of the hashes; 0 if there are none.
  };

  // If the path is empty, there is no file and no user in it.
  static absl::StatusOr<std::unique_ptr<AccountsFile>> Open(const std::string& path,
                                                            const std::shared_ptr<prometheus::Registry>& registry,
                                                            absl::Duration poll_interval = absl::Seconds(1));

  AccountsFile(const AccountsFile&) = delete;
  AccountsFile& operator=(const AccountsFile&) = delete;

  // The users in force. Never null.
  std::shared_ptr<const Contents> current() const;
  // Reads the file now. If poll_interval is zero, nothing else reads it again.
  absl::Status ReloadIfChanged();

 private:
  AccountsFile(const std::string& path, prometheus::Registry* registry);
  absl::Status Load(const absl::StatusOr<std::vector<std::string>>& contents);

  const std::string path_;
  prometheus::Counter* loaded_ = nullptr;
  prometheus::Counter* refused_ = nullptr;
  mutable absl::Mutex mutex_;
  std::shared_ptr<const Contents> current_ ABSL_GUARDED_BY(mutex_) = std::make_shared<Contents>();
  // Last, so that no load is in progress when the other members are destroyed.
  std::unique_ptr<runtime::FileWatcher> watcher_;
};

}  // namespace entrepot::auth

#endif  // ENTREPOT_SERVICES_AUTH_ACCOUNTS_ACCOUNTS_FILE_H_
