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

// The file of users with their passwords' hashes, read again when it changes: a bad new one is logged, counted
// (entrepot_accounts_reloads_total{result}) and the old one kept. Thread-safe.
class AccountsFile {
 public:
  struct Contents {
    PasswordHashes users;
    int cost_max = 0;  // Of the hashes; 0 without any.
  };

  // An empty path: there is no file, and never anybody in it.
  static absl::StatusOr<std::unique_ptr<AccountsFile>> Open(const std::string& path,
                                                            const std::shared_ptr<prometheus::Registry>& registry,
                                                            absl::Duration poll_interval = absl::Seconds(1));

  AccountsFile(const AccountsFile&) = delete;
  AccountsFile& operator=(const AccountsFile&) = delete;

  // Those in force now; never null.
  std::shared_ptr<const Contents> current() const;
  // Looks at the file now; with a poll_interval of zero only this does.
  absl::Status ReloadIfChanged();

 private:
  AccountsFile(const std::string& path, prometheus::Registry* registry);
  absl::Status Load(const absl::StatusOr<std::vector<std::string>>& contents);

  const std::string path_;
  prometheus::Counter* loaded_ = nullptr;
  prometheus::Counter* refused_ = nullptr;
  mutable absl::Mutex mutex_;
  std::shared_ptr<const Contents> current_ ABSL_GUARDED_BY(mutex_) = std::make_shared<Contents>();
  // Last, so that no load is under way once the others go.
  std::unique_ptr<runtime::FileWatcher> watcher_;
};

}  // namespace entrepot::auth

#endif  // ENTREPOT_SERVICES_AUTH_ACCOUNTS_ACCOUNTS_FILE_H_
