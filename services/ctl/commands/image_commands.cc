#include <chrono>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "services/core/reference.h"
#include "services/core/repository_name.h"
#include "services/ctl/client/content_client.h"
#include "services/ctl/command_line/image_name.h"
#include "services/ctl/commands/commands.h"
#include "services/ctl/layout/layout_reader.h"
#include "services/ctl/layout/layout_writer.h"
#include "services/ctl/output/terminal_output.h"
#include "services/ctl/output/transfer_text.h"
#include "services/ctl/transfer/image_export.h"
#include "services/ctl/transfer/image_import.h"
#include "services/status/status_macros.h"
#include "services/upstream/names/platform.h"

namespace entrepot::ctl {
namespace {

constexpr char kPlatform[] = "--platform";
constexpr char kNoReferrers[] = "--no-referrers";
constexpr char kIntoCaches[] = "--into-caches";

using Steady = std::chrono::steady_clock;

// Shows the progress of an image, but not each step of it.
class Progress {
 public:
  explicit Progress(const ImageTransfer* transfer) : transfer_(*transfer) {}

  void Show() {
    const Steady::time_point now = Steady::now();
    if (now - shown_at_ < std::chrono::milliseconds(200)) return;
    shown_at_ = now;
    line_.ShowOrLog(TransferBar(transfer_, absl::FromChrono(now - started_at_)), TransferLine(transfer_));
  }

 private:
  const ImageTransfer& transfer_;
  const Steady::time_point started_at_ = Steady::now();
  Steady::time_point shown_at_ = {};
  ProgressLine line_;
};

absl::Status WithImage(const std::string& image, const absl::Status& status) {
  return absl::Status(status.code(), absl::StrCat(Printable(image), ": ", status.message()));
}

std::string ImageText(const std::string& repository, const std::string& reference) {
  if (reference.empty()) return repository;
  return absl::StrCat(repository, absl::StrContains(reference, ':') ? "@" : ":", reference);
}

// Whether other images can be imported nevertheless: the image is broken, or the registry refuses it.
bool ConcernsOneImage(const absl::Status& status) {
  return absl::IsDataLoss(status) || absl::IsFailedPrecondition(status) || absl::IsNotFound(status) ||
         absl::IsInvalidArgument(status);
}

struct NamedImage {
  std::string text;
  RepositoryName repository;
  ImageToExport image;
};

absl::StatusOr<std::vector<NamedImage>> ImagesOf(const CommandLine& line) {
  ImageToExport wanted{.reference = "", .platforms = {}, .with_referrers = !line.Has(kNoReferrers)};
  for (const std::string& text : line.Values(kPlatform)) {
    ASSIGN_OR_RETURN(upstream::Platform platform, upstream::ParsePlatform(text));
    wanted.platforms.push_back(std::move(platform));
  }
  std::vector<NamedImage> images;
  for (const std::string& text : line.ArgumentsFrom(1)) {
    const ImageName name = ParseImageName(text);
    ASSIGN_OR_RETURN(RepositoryName repository, RepositoryName::Parse(name.repository));
    wanted.reference = name.reference.empty() ? "latest" : name.reference;
    RETURN_IF_ERROR(ParseReference(wanted.reference).status());
    images.push_back({ImageText(name.repository, wanted.reference), std::move(repository), wanted});
  }
  return images;
}

absl::StatusOr<int> Export(const CommandLine& line, RegistryClient& registry) {
  ASSIGN_OR_RETURN(const std::vector<NamedImage> images, ImagesOf(line));
  const std::string path = line.argument(0);
  ASSIGN_OR_RETURN(const std::unique_ptr<LayoutWriter> layout,
                   absl::EndsWith(path, ".tar") ? OpenTarLayout(path) : OpenDirectoryLayout(path));
  std::vector<ImageTransfer> transfers;
  std::vector<LayoutEntry> entries;
  for (const NamedImage& named : images) {
    ImageTransfer transfer{.image = named.text};
    Progress progress(&transfer);
    ContentClient content(&registry, named.repository, ContentClient::Access::kPull);
    absl::StatusOr<std::vector<LayoutEntry>> exported =
        ExportImage(named.image, &content, layout.get(), &transfer, [&] { progress.Show(); });
    if (!exported.ok()) return WithImage(named.text, exported.status());
    entries.insert(entries.end(), exported->begin(), exported->end());
    transfers.push_back(std::move(transfer));
  }
  RETURN_IF_ERROR(layout->Finish(entries));
  Print(line.json() ? TransferJson(transfers) : TransferText("exported", transfers));
  return kOk;
}

absl::StatusOr<int> Import(const CommandLine& line, RegistryClient& registry) {
  ASSIGN_OR_RETURN(const std::unique_ptr<LayoutReader> layout, OpenLayout(line.argument(0)));
  const ImageName target = ParseImageName(line.argument(1));
  if (absl::StrContains(target.reference, ':')) {
    return absl::InvalidArgumentError("the target of an import is a repository with or without a tag, not a digest");
  }
  ASSIGN_OR_RETURN(const std::vector<RepositoryImport> plan,
                   PlanImport(layout->entries(), target.repository, target.reference));
  const auto access = line.Has(kIntoCaches) ? ContentClient::Access::kImport : ContentClient::Access::kPush;
  std::vector<ImageTransfer> transfers;
  std::vector<std::string> problems = layout->problems();
  for (const RepositoryImport& part : plan) {
    ASSIGN_OR_RETURN(const RepositoryName repository, RepositoryName::Parse(part.repository));
    ContentClient content(&registry, repository, access);
    for (const RepositoryImport::Image& image : part.images) {
      const std::string name =
          ImageText(part.repository, image.tag.empty() ? image.entry.digest.ToString() : image.tag);
      ImageTransfer transfer{.image = name};
      Progress progress(&transfer);
      const absl::Status status = ImportImage(image, layout.get(), &content, &transfer, [&] { progress.Show(); });
      if (status.ok()) {
        transfers.push_back(std::move(transfer));
      } else if (ConcernsOneImage(status)) {
        problems.push_back(absl::StrCat(name, ": ", status.message()));
      } else {
        return WithImage(name, status);
      }
    }
  }
  Print(line.json() ? TransferJson(transfers, problems) : TransferText("imported", transfers));
  for (const std::string& problem : problems) std::fprintf(stderr, "entrepotctl: %s\n", Printable(problem).c_str());
  return problems.empty() ? kOk : kFailed;
}

}  // namespace

std::vector<Command> ImageCommands() {
  return {
      {.name = "export",
       .arguments = {{.name = "PATH", .help = "the layout: a tar file if it ends with .tar, else a directory"},
                     {.name = "IMAGE", .help = "as team/app:v1; default tag: latest", .repeatable = true}},
       .options = {{.name = kPlatform,
                    .value = "OS/ARCHITECTURE",
                    .help = "only this platform of an index, such as linux/amd64; may be repeated",
                    .repeatable = true},
                   {.name = kNoReferrers, .value = "", .help = "without signatures, SBOMs and other referrers"}},
       .summary = "Write images with their signatures to a file, as an OCI image layout",
       .details =
           "For a site without a network: entrepotctl import, skopeo, crane, oras and podman read it. A directory\n"
           "that is a layout already gets the images in addition. If the command is interrupted, repeat it: it\n"
           "verifies what is there, and continues. Every blob is verified.",
       .examples = {"entrepotctl export images.tar docker.io/library/nginx:1.27 --platform linux/amd64",
                    "entrepotctl export /media/usb/images team/app:v1 team/web:v3"},
       .run = Export},
      {.name = "import",
       .arguments = {{.name = "PATH",
                      .help = "an OCI image layout, a directory or a tar file; or the storage\n"
                              "directory of CNCF Distribution's registry"},
                     {.name = "REPOSITORY",
                      .help = "push to this repository; with :TAG for a layout of one image;\n"
                              "default: the repositories of the export",
                      .required = false}},
       .options = {{.name = kIntoCaches,
                    .value = "",
                    .help = "also write to repositories of upstreams; for administrators"}},
       .summary = "Push the images of an OCI image layout, or of another registry's storage",
       .details =
           "It verifies all that it sends, and does not send what is there. If the command is interrupted, repeat\n"
           "it. An image that is broken or refused is reported at the end, and the exit code is 1; the others are\n"
           "imported. Your account needs push on the repositories.",
       .examples = {"entrepotctl import images.tar", "entrepotctl import /media/usb/images team/app",
                    "entrepotctl import image.tar team/app:v1", "entrepotctl import docker.tar --into-caches",
                    "entrepotctl import /var/lib/registry"},
       .run = Import},
  };
}

}  // namespace entrepot::ctl
