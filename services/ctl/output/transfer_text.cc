#include "services/ctl/output/transfer_text.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "boost/json/array.hpp"
#include "boost/json/object.hpp"
#include "boost/json/serialize.hpp"
#include "services/ctl/output/progress_bar.h"
#include "services/ctl/output/terminal_output.h"

namespace entrepot::ctl {
namespace {

std::string AmountsText(const ImageTransfer& transfer) {
  if (transfer.blobs == 0) return Counted(transfer.manifests, "manifest");
  return absl::StrCat(SizeText(transfer.bytes_done), " of ", SizeText(transfer.bytes), ", ", transfer.blobs_done,
                      " of ", Counted(transfer.blobs, "blob"));
}

}  // namespace

std::string TransferBar(const ImageTransfer& transfer, absl::Duration elapsed) {
  return absl::StrCat(ProgressBar(transfer.bytes_done, transfer.bytes), "  ", Printable(transfer.image), ": ",
                      AmountsText(transfer), ", ", absl::FormatDuration(absl::Trunc(elapsed, absl::Seconds(1))));
}

std::string TransferLine(const ImageTransfer& transfer) {
  return absl::StrCat(Printable(transfer.image), ": ", AmountsText(transfer));
}

std::string TransferText(absl::string_view verb, const std::vector<ImageTransfer>& transfers) {
  std::string text;
  for (const ImageTransfer& transfer : transfers) {
    absl::StrAppend(&text, verb, " ", Printable(transfer.image), ", ", Printable(transfer.digest), "\n  ",
                    Counted(transfer.manifests, "manifest"), ", ", Counted(transfer.blobs, "blob"), ", ",
                    SizeText(transfer.bytes), "; ", Counted(transfer.blobs_there, "blob"),
                    transfer.blobs_there == 1 ? " was" : " were", " there before\n");
    if (transfer.absent.empty()) continue;
    absl::StrAppend(&text, "  without ", Counted(transfer.absent.size(), "manifest"),
                    " that the source does not have:\n");
    for (const std::string& digest : transfer.absent) absl::StrAppend(&text, "    ", Printable(digest), "\n");
  }
  return text;
}

std::string TransferJson(const std::vector<ImageTransfer>& transfers, const std::vector<std::string>& problems) {
  boost::json::array images;
  for (const ImageTransfer& transfer : transfers) {
    images.push_back(
        boost::json::object{{"image", Printable(transfer.image)},
                            {"digest", transfer.digest},
                            {"manifests", transfer.manifests},
                            {"blobs", transfer.blobs},
                            {"blobsThere", transfer.blobs_there},
                            {"bytes", transfer.bytes},
                            {"absent", boost::json::array(transfer.absent.begin(), transfer.absent.end())}});
  }
  boost::json::array broken;
  for (const std::string& problem : problems) broken.emplace_back(Printable(problem));
  return absl::StrCat(
      boost::json::serialize(boost::json::object{{"images", std::move(images)}, {"problems", std::move(broken)}}),
      "\n");
}

}  // namespace entrepot::ctl
