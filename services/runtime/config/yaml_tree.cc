#include "services/runtime/config/yaml_tree.h"

#include <algorithm>
#include <exception>
#include <optional>
#include <sstream>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "services/core/text/utf8.h"
#include "services/status/status_macros.h"
#include "yaml-cpp/eventhandler.h"
#include "yaml-cpp/exceptions.h"
#include "yaml-cpp/mark.h"
#include "yaml-cpp/parser.h"

namespace entrepot::runtime {
namespace {

absl::Status Mistake(absl::string_view file_name, int line, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat(file_name, ":", line, ": ", what));
}

int LineOf(const YAML::Mark& mark) { return mark.line + 1; }

// Builds the tree. It throws, because nothing else ends yaml-cpp's parsing early; ParseYaml() catches all exceptions.
class TreeBuilder : public YAML::EventHandler {
 public:
  YamlNode TakeRoot() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t) override { Add(YamlNode::Kind::kNothing, mark); }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    throw YAML::ParserException(mark, "aliases (*name) are not supported; write the value out");
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t, const std::string& value) override {
    RefuseTag(mark, tag);
    YamlNode& node = Add(YamlNode::Kind::kScalar, mark);
    node.text = value;
    node.quoted = tag == "!";
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {
    Open(YamlNode::Kind::kList, mark, tag);
  }
  void OnSequenceEnd() override { open_.pop_back(); }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t, YAML::EmitterStyle::value) override {
    Open(YamlNode::Kind::kMap, mark, tag);
  }
  void OnMapEnd() override { open_.pop_back(); }

 private:
  // yaml-cpp reports "?" for plain and "!" for quoted values without a tag.
  static void RefuseTag(const YAML::Mark& mark, const std::string& tag) {
    if (tag.empty() || tag == "?" || tag == "!") return;
    throw YAML::ParserException(mark, "tags (!name) are not supported");
  }

  YamlNode& Add(YamlNode::Kind kind, const YAML::Mark& mark) {
    YamlNode& node = open_.empty() ? root_ : open_.back()->items.emplace_back();
    node.kind = kind;
    node.line = LineOf(mark);
    return node;
  }

  void Open(YamlNode::Kind kind, const YAML::Mark& mark, const std::string& tag) {
    RefuseTag(mark, tag);
    if (open_.size() == kYamlDepthMax) throw YAML::ParserException(mark, "nested too deeply");
    // Only the items of the innermost node grow, so the pointers to the outer ones stay valid.
    open_.push_back(&Add(kind, mark));
  }

  YamlNode root_;
  std::vector<YamlNode*> open_;
};

int LineAt(absl::string_view text, size_t offset) {
  return 1 + static_cast<int>(std::count(text.begin(), text.begin() + static_cast<ptrdiff_t>(offset), '\n'));
}

// yaml-cpp treats some control characters as the end of the file, and replaces bytes that are not UTF-8.
absl::Status CheckCharacters(absl::string_view text, absl::string_view file_name) {
  if (const size_t valid = Utf8PrefixLength(text); valid < text.size()) {
    return Mistake(file_name, LineAt(text, valid), "not UTF-8");
  }
  const auto control = std::find_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\r' && c != '\t') || c == 0x7f;
  });
  if (control == text.end()) return absl::OkStatus();
  return Mistake(file_name, LineAt(text, static_cast<size_t>(control - text.begin())), "a control character");
}

}  // namespace

absl::StatusOr<YamlNode> ParseYaml(absl::string_view yaml_text, absl::string_view file_name) {
  if (yaml_text.size() > kYamlBytesMax) {
    return Mistake(file_name, 1, absl::StrCat("larger than ", kYamlBytesMax, " bytes"));
  }
  RETURN_IF_ERROR(CheckCharacters(yaml_text, file_name));
  try {
    std::istringstream stream{std::string(yaml_text)};
    YAML::Parser parser(stream);
    TreeBuilder builder;
    if (!parser.HandleNextDocument(builder)) return YamlNode();
    YamlNode root = builder.TakeRoot();
    TreeBuilder second;
    if (parser.HandleNextDocument(second)) {
      return Mistake(file_name, second.TakeRoot().line, "more than one document");
    }
    return root;
  } catch (const YAML::Exception& exception) {
    return Mistake(file_name, LineOf(exception.mark), exception.msg);
  } catch (const std::exception& exception) {
    return Mistake(file_name, 1, exception.what());
  }
}

}  // namespace entrepot::runtime
