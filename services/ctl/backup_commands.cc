#include "services/ctl/backup_commands.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "entrepot/auth/v1/administration.pb.h"
#include "services/ctl/job_runner.h"
#include "services/ctl/maintenance_text.h"
#include "services/ctl/offline_registry.h"
#include "services/ctl/output.h"
#include "services/ctl/progress_line.h"
#include "services/ctl/restore.h"
#include "services/ctl/session.h"
#include "services/ctl/table.h"
#include "services/status/status_macros.h"

namespace entrepot::ctl {
namespace {

namespace v1 = manifest::v1;

constexpr char kData[] = "--data";
constexpr char kManifest[] = "--manifest";
constexpr char kBlobs[] = "--blobs";
constexpr char kBlobsData[] = "--blobs-data";
constexpr char kAccounts[] = "--accounts";
constexpr char kAccountsData[] = "--accounts-data";
constexpr char kRehash[] = "--rehash";

// Counts what is read.
class Progress {
 public:
  bool Count(uint64_t operations, uint64_t bytes) {
    operations_ += operations;
    bytes_ += bytes;
    const absl::Time now = absl::Now();
    if (now - shown_ > absl::Milliseconds(200)) {
      shown_ = now;
      line_.Show(absl::StrCat(operations_, " steps, ", SizeText(bytes_)));
    }
    return true;
  }

 private:
  ProgressLine line_;
  uint64_t operations_ = 0;
  uint64_t bytes_ = 0;
  absl::Time shown_ = absl::InfinitePast();
};

int Show(const v1::InvariantReport& report, const Session& session) {
  Print(session.json() ? MessageJson(report) : InvariantsText(report));
  return report.violations().empty() ? kOk : kFailed;
}

absl::StatusOr<int> CheckOnline(const CommandLine& line, Session& session) {
  v1::StartJob start;
  start.mutable_check_invariants()->set_rehash(line.Has(kRehash));
  ASSIGN_OR_RETURN(const v1::Job job, RunJob(start, session));
  return Show(job.invariants(), session);
}

absl::StatusOr<int> Check(const CommandLine& line, Session& session) {
  const bool split = line.Has(kManifest) || line.Has(kBlobs);
  if (!line.Has(kData) && !split) return CheckOnline(line, session);
  if (split && (line.Has(kData) || !line.Has(kManifest) || !line.Has(kBlobs))) {
    return absl::InvalidArgumentError(
        "a registry that does not run is named by --data, or, in several processes, by --manifest and --blobs");
  }
  RegistryDirectories directories{line.Option(kData), line.Option(kData)};
  if (split) directories = {line.Option(kManifest), line.Option(kBlobs)};
  absl::StatusOr<v1::InvariantReport> report;
  {
    Progress progress;
    report = CheckOffline(directories, line.Has(kRehash),
                          [&](uint64_t operations, uint64_t bytes) { return progress.Count(operations, bytes); });
  }
  RETURN_IF_ERROR(report.status());
  return Show(*report, session);
}

// The auth service's part, where that is a process of its own.
absl::Status BackUpAccounts(Session& session, v1::Backup* backup) {
  if (!session.logged_in()) return absl::OkStatus();
  auth::v1::AdministerRequest request;
  request.mutable_back_up_accounts()->set_name(backup->name());
  const absl::StatusOr<auth::v1::AdministerResponse> response = session.Administer(request);
  if (!response.ok()) {
    return absl::Status(
        response.status().code(),
        absl::StrCat("records and objects are backed up, the accounts are not: ", response.status().message()));
  }
  backup->set_accounts_directory(response->accounts_backup().directory());
  return absl::OkStatus();
}

absl::StatusOr<int> BackUp(const CommandLine& line, Session& session) {
  v1::StartJob start;
  std::string name = line.Argument(0);
  if (name.empty()) name = absl::FormatTime("%Y%m%d-%H%M%S", absl::Now(), absl::UTCTimeZone());
  start.mutable_back_up()->set_name(name);
  ASSIGN_OR_RETURN(v1::Job job, RunJob(start, session));
  RETURN_IF_ERROR(BackUpAccounts(session, job.mutable_backup()));
  Print(session.json() ? MessageJson(job.backup()) : BackupText(job.backup()));
  return kOk;
}

// Both or neither are given: where a part comes from, and where it goes.
absl::Status SetPart(const CommandLine& line, const char* from, const char* to, std::string* backup,
                     std::string* data) {
  if (line.Has(from) != line.Has(to)) {
    return absl::InvalidArgumentError(absl::StrCat(from, " and ", to, " go together: where from, and where to"));
  }
  if (!line.Has(from)) return absl::OkStatus();
  *backup = line.Option(from);
  *data = line.Option(to);
  return absl::OkStatus();
}

absl::StatusOr<int> RestoreBackup(const CommandLine& line, Session& session) {
  RegistryDirectories backup{line.arguments[0], line.arguments[0]};
  RegistryDirectories data{line.arguments[1], line.arguments[1]};
  RETURN_IF_ERROR(SetPart(line, kBlobs, kBlobsData, &backup.blobs, &data.blobs));
  RETURN_IF_ERROR(SetPart(line, kAccounts, kAccountsData, &backup.accounts, &data.accounts));
  absl::StatusOr<v1::InvariantReport> report;
  {
    Progress progress;
    report =
        Restore(backup, data, [&](uint64_t operations, uint64_t bytes) { return progress.Count(operations, bytes); });
  }
  RETURN_IF_ERROR(report.status());
  const int code = Show(*report, session);
  if (code != kOk) return absl::FailedPreconditionError("the backup is damaged; nothing was restored");
  if (!session.json()) Print(absl::StrCat("restored to ", Printable(data.manifest), "\n"));
  return code;
}

}  // namespace

std::vector<Command> BackupCommands() {
  return {
      {"check",
       {},
       {kData, kManifest, kBlobs},
       "whether all records fit one another and the objects they name",
       R"(
  --rehash              reads and hashes every object too
  --data DIR            checks a registry that does not run: its data directory
  --manifest DIR        the same of one in several processes: the manifest service's data directory,
  --blobs DIR           and the blob service's

Prints each violation as a line, and exits with 1 where there is one. A registry that runs is checked while it serves.

Examples:
  entrepotctl check
  entrepotctl check --rehash --data /var/lib/entrepot
)",
       Check,
       {kRehash}},
      {"backup",
       {"[NAME]"},
       {},
       "a consistent copy of all records and objects, while the registry serves",
       R"(
It lies in backups/NAME below the registry's data directory, of the manifest, the blob and the auth service each where
they are processes of their own; copy it to another machine from there. NAME is the time where it is left out. All that
was acknowledged before is in it, and so are the accounts that the registry keeps itself. Whoever reads it can sign
tokens: guard it like the data directory.

Examples:
  entrepotctl backup
  entrepotctl backup before-upgrade
)",
       BackUp},
      {"restore",
       {"BACKUP", "DATA"},
       {kBlobs, kBlobsData, kAccounts, kAccountsData},
       "makes a data directory of a backup; needs no registry",
       R"(
  --blobs BACKUP        of a registry in several processes: the blob service's backup; the first one is the manifest's
  --blobs-data DATA     and the blob service's new data directory
  --accounts BACKUP     the same of the auth service
  --accounts-data DATA

The copy is checked, every object by its hash, before it gets its name; exits with 1, and leaves nothing, where something
is wrong. DATA must not be there, or be empty. Then start a registry on it.

Examples:
  entrepotctl restore /var/lib/entrepot/backups/before-upgrade /srv/entrepot
  entrepotctl restore /m/backups/x /new/m --blobs /b/backups/x --blobs-data /new/b \
    --accounts /a/backups/x --accounts-data /new/a
)",
       RestoreBackup},
  };
}

}  // namespace entrepot::ctl
