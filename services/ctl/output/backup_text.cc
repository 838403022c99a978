#include "services/ctl/output/backup_text.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "services/ctl/output/table.h"
#include "services/ctl/output/terminal_output.h"

namespace entrepot::ctl {
namespace {

namespace fs = std::filesystem;
namespace v1 = manifest::v1;

// The text as one word of a shell.
std::string ShellWord(const std::string& text) {
  const bool plain = !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || absl::StrContains("/._-+=:@%,", c);
  });
  if (plain) return text;
  return absl::StrCat("'", absl::StrReplaceAll(Printable(text), {{"'", "'\\''"}}), "'");
}

// Without a slash at the end.
fs::path Absolute(const std::string& directory) {
  std::error_code error;
  const fs::path path = fs::absolute(directory, error).lexically_normal();
  return path.has_filename() ? path : path.parent_path();
}

// Whether one directory has the records and the objects. An earlier registry names only one.
bool IsStandalone(const v1::Backup& backup) {
  return backup.objects_directory().empty() || backup.objects_directory() == backup.directory();
}

}  // namespace

std::string BackupText(const v1::Backup& backup) {
  const bool standalone = IsStandalone(backup);
  const std::string objects = absl::StrCat(Counted(backup.objects(), "object"), ", ", SizeText(backup.object_bytes()),
                                           ": all blobs over 64 KiB");
  constexpr char kRecords[] = "manifests, tags, the records of blobs";
  std::string text =
      absl::StrCat("backed up ", Counted(backup.blobs(), "blob"), ", ", SizeText(backup.blob_bytes()), "\n");
  Table table({"PART", "DIRECTORY", "CONTENT"});
  if (standalone) {
    table.Add({"records", absl::StrCat(backup.directory(), "/kv"), absl::StrCat(kRecords, ", small blobs, accounts")});
    table.Add({"objects", absl::StrCat(backup.directory(), "/blobs"), objects});
  } else {
    table.Add({"manifest service", backup.directory(), kRecords});
    table.Add({"blob service", backup.objects_directory(), absl::StrCat(objects, "; small blobs, upload sessions")});
    if (!backup.accounts_directory().empty()) {
      table.Add({"auth service", backup.accounts_directory(), "accounts and keys that sign tokens"});
    }
  }
  absl::StrAppend(&text, table.ToString(), standalone ? "on the registry's machine" : "each on its service's machine",
                  "; the configuration, the files of accounts and policies, and TLS keys are not part of it\n");
  absl::StrAppend(&text, "to restore it: entrepotctl restore ", ShellWord(backup.directory()),
                  standalone ? " NEW-DATA" : " NEW-MANIFEST-DATA");
  if (!standalone) {
    absl::StrAppend(&text, " --blobs ", ShellWord(backup.objects_directory()), " --blobs-data NEW-BLOB-DATA");
  }
  if (!backup.accounts_directory().empty()) {
    absl::StrAppend(&text, " --accounts ", ShellWord(backup.accounts_directory()), " --accounts-data NEW-AUTH-DATA");
  }
  if (backup.damaged_blobs() == 0) return text + "\n";
  absl::StrAppend(&text, " --accept-damaged\n", Counted(backup.damaged_blobs(), "blob"),
                  backup.damaged_blobs() == 1 ? " is" : " are",
                  " damaged or missing: `entrepotctl check` lists them; push their content again, and make another "
                  "backup\n");
  return text;
}

std::string ServeText(const RegistryDirectories& data, bool has_accounts) {
  const fs::path manifest = Absolute(data.manifest);
  const fs::path blobs = Absolute(data.blobs);
  const std::string accounts = has_accounts ? " --accounts FILE --policy FILE" : "";
  const bool standalone = data.standalone();
  if (standalone && manifest.filename() == "standalone") {
    return absl::StrCat("to serve it: scripts/serve --data ", ShellWord(manifest.parent_path()), accounts, "\n");
  }
  const fs::path split = manifest.parent_path();
  const bool has_names = manifest == split / "manifest" && blobs == split / "blob" &&
                         (data.accounts.empty() || Absolute(data.accounts) == split / "auth");
  if (!standalone && split.filename() == "split" && has_names) {
    return absl::StrCat("to serve it: scripts/serve --split --data ", ShellWord(split.parent_path()), accounts, "\n");
  }
  if (standalone) {
    return absl::StrCat("to serve it: entrepot --config FILE, with data_directory: ", ShellWord(manifest),
                        " in the file\n(scripts/serve --data DIR", accounts,
                        " serves it if it is the directory DIR/standalone)\n");
  }
  std::string text = "to serve it, run each program with --config FILE, and with this line in its file:\n";
  absl::StrAppend(&text, "  entrepot-manifest  data_directory: ", ShellWord(manifest), "\n");
  absl::StrAppend(&text, "  entrepot-blob      data_directory: ", ShellWord(blobs), "\n");
  if (!data.accounts.empty()) {
    absl::StrAppend(&text, "  entrepot-auth      data_directory: ", ShellWord(Absolute(data.accounts)), "\n");
  }
  absl::StrAppend(&text, "and entrepot-gateway (scripts/serve --split --data DIR", accounts,
                  " serves them if they are DIR/split/manifest, DIR/split/blob and DIR/split/auth)\n");
  return text;
}

}  // namespace entrepot::ctl
