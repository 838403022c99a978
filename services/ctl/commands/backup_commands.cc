#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "entrepot/auth/v1/administration.pb.h"
#include "services/ctl/client/maintenance_requests.h"
#include "services/ctl/client/registry_client.h"
#include "services/ctl/commands/commands.h"
#include "services/ctl/offline/offline_registry.h"
#include "services/ctl/output/backup_text.h"
#include "services/ctl/output/maintenance_text.h"
#include "services/ctl/output/terminal_output.h"
#include "services/status/status_macros.h"

namespace entrepot::ctl {
namespace {

namespace v1 = manifest::v1;

constexpr char kBlobs[] = "--blobs";
constexpr char kBlobsData[] = "--blobs-data";
constexpr char kAccounts[] = "--accounts";
constexpr char kAccountsData[] = "--accounts-data";
constexpr char kAcceptDamaged[] = "--accept-damaged";

constexpr char kDamagedBlobs[] =
    "the blobs above are CORRUPT: they are served as unknown until the same content is pushed again\n";

// Backs up the auth service's records, which it does itself in split mode.
absl::Status BackUpAccounts(RegistryClient& registry, v1::Backup* backup) {
  if (!registry.logged_in()) return absl::OkStatus();
  auth::v1::AdministerRequest request;
  request.mutable_back_up_accounts()->set_name(backup->name());
  const absl::StatusOr<auth::v1::AdministerResponse> response = registry.Administer(request);
  if (!response.ok()) {
    return absl::Status(
        response.status().code(),
        absl::StrCat("records and objects are backed up, the accounts are not: ", response.status().message()));
  }
  backup->set_accounts_directory(response->accounts_backup().directory());
  return absl::OkStatus();
}

absl::StatusOr<int> BackUp(const CommandLine& line, RegistryClient& registry) {
  v1::StartJob start;
  std::string name = line.argument(0);
  if (name.empty()) name = absl::FormatTime("%Y%m%d-%H%M%S", absl::Now(), absl::UTCTimeZone());
  start.mutable_back_up()->set_name(name);
  ASSIGN_OR_RETURN(v1::Job job, RunJob(start, registry));
  RETURN_IF_ERROR(BackUpAccounts(registry, job.mutable_backup()));
  Print(line.json() ? MessageJson(job.backup()) : BackupText(job.backup()));
  return job.backup().damaged_blobs() == 0 ? kOk : kFailed;
}

// Takes a service's backup and its new data directory from two options. kInvalidArgument if only one is given.
absl::Status TakeDirectories(const CommandLine& line, const char* from, const char* to, std::string* backup,
                             std::string* data) {
  if (line.Has(from) != line.Has(to)) {
    return absl::InvalidArgumentError(
        absl::StrCat(from, " and ", to, " need each other: a backup and a data directory"));
  }
  if (!line.Has(from)) return absl::OkStatus();
  *backup = line.Value(from);
  *data = line.Value(to);
  return absl::OkStatus();
}

absl::Status NotRestored(const Restored& restored, bool accept_damaged) {
  absl::string_view advice = "";
  if (restored.only_blobs_are_damaged) {
    advice = "; only blobs are damaged: to restore everything else, use --accept-damaged";
  } else if (accept_damaged) {
    advice = "; --accept-damaged accepts only damaged and missing blobs";
  }
  return absl::FailedPreconditionError(absl::StrCat("the backup is damaged; nothing was restored", advice));
}

absl::StatusOr<int> RestoreBackup(const CommandLine& line, RegistryClient&) {
  RegistryDirectories backup{line.argument(0), line.argument(0)};
  RegistryDirectories data{line.argument(1), line.argument(1)};
  RETURN_IF_ERROR(TakeDirectories(line, kBlobs, kBlobsData, &backup.blobs, &data.blobs));
  RETURN_IF_ERROR(TakeDirectories(line, kAccounts, kAccountsData, &backup.accounts, &data.accounts));
  absl::StatusOr<Restored> restored;
  {
    ProgressLine progress;
    restored = Restore(backup, data, line.Has(kAcceptDamaged),
                       [&](uint64_t operations, uint64_t bytes) { return progress.Count(operations, bytes); });
  }
  RETURN_IF_ERROR(restored.status());
  Print(line.json() ? MessageJson(restored->report) : InvariantsText(restored->report));
  if (!restored->published) return NotRestored(*restored, line.Has(kAcceptDamaged));
  if (!line.json()) {
    const int damaged = restored->report.violations_size();
    Print(absl::StrCat("restored to ", Printable(data.manifest), "\n", damaged > 0 ? kDamagedBlobs : "",
                       ServeText(data, restored->has_accounts)));
  }
  return kOk;
}

}  // namespace

std::vector<Command> BackupCommands() {
  return {
      {.name = "backup",
       .arguments = {{.name = "NAME", .help = "the backup's name; default: the time", .required = false}},
       .summary = "Make a consistent copy of all records and objects while the registry serves",
       .details =
           "The backup is the directory backups/NAME in the registry's data directory; in split mode, in the data\n"
           "directory of the manifest, the blob and the auth service each. Copy it to another machine. It\n"
           "contains everything that was acknowledged before, and the accounts in the registry's own records.\n"
           "It contains the keys that sign tokens: protect it like the data directory. The output has all parts of\n"
           "the backup and the command that restores it. If blobs are corrupt, or their objects are missing or have\n"
           "another size, the backup is made without them and the exit code is 1.",
       .examples = {"entrepotctl backup", "entrepotctl backup before-upgrade"},
       .run = BackUp},
      {.name = "restore",
       .arguments = {{.name = "BACKUP", .help = "a backup; in split mode, the manifest service's"},
                     {.name = "DATA", .help = "the new data directory, which must be missing or empty"}},
       .options = {{.name = kBlobs, .value = "BACKUP", .help = "in split mode: the blob service's backup"},
                   {.name = kBlobsData, .value = "DATA", .help = "and its new data directory"},
                   {.name = kAccounts, .value = "BACKUP", .help = "in split mode: the auth service's backup"},
                   {.name = kAccountsData, .value = "DATA", .help = "and its new data directory"},
                   {.name = kAcceptDamaged,
                    .value = "",
                    .help = "restore although blobs are damaged or missing: they are listed, and served as unknown\n"
                            "until they are pushed again"}},
       .summary = "Make a data directory from a backup; needs no registry",
       .details =
           "The copy is checked, every object by its hash, before it becomes DATA. If something is wrong, nothing\n"
           "is left of it and the exit code is 1; --accept-damaged accepts damaged and missing blobs. Afterwards it\n"
           "prints the command that serves DATA.",
       .examples = {"entrepotctl restore /var/lib/entrepot/backups/before-upgrade /srv/entrepot",
                    "entrepotctl restore /m/backups/x /new/m --blobs /b/backups/x --blobs-data /new/b \\\n"
                    "    --accounts /a/backups/x --accounts-data /new/a"},
       .run = RestoreBackup},
  };
}

}  // namespace entrepot::ctl
