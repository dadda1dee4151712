use super::samples::{CODE, PRIVATE, module, ole2, pe, word, zip};
use super::{outline, part};
use scanner::strip::{Kept, NotStripped};

/// An Office document of the new kind around some members.
fn ooxml(members: &[(&str, &[u8])]) -> Vec<u8> {
    let text = [b"<w:document><table>", PRIVATE, b"<script>", PRIVATE, b"</script>"].concat();
    let mut all = vec![("word/document.xml", &text[..]), ("word/media/image1.png", PRIVATE)];
    all.extend_from_slice(members);
    all.push(("[Content_Types].xml", b"<Types/>"));
    zip(&all)
}

#[test]
fn of_a_document_macros_leave_and_nothing_else() {
    assert_eq!(outline(&word()), Ok(vec![part(Kept::Macros, "Module")]));
    let project = ole2(&[("PROJECT", PRIVATE), ("VBA/Module", &module(CODE))]);
    let inside = ooxml(&[("word/vbaProject.bin", &project)]);
    assert_eq!(outline(&inside), Ok(vec![part(Kept::Macros, "word/vbaProject.bin|Module")]));
}

#[test]
fn every_module_of_a_project_leaves() {
    let two = ole2(&[("VBA/One", &module(CODE)), ("VBA/Two", &module(&[CODE, b" again"].concat()))]);
    assert_eq!(outline(&two), Ok(vec![part(Kept::Macros, "One"), part(Kept::Macros, "Two")]));
}

#[test]
fn embedded_programs_leave_as_programs_do() {
    let program = pe();
    let new = ooxml(&[("word/embeddings/a.bin", &program)]);
    assert_eq!(outline(&new), Ok(vec![part(Kept::Program, "word/embeddings/a.bin")]));
    let old = ole2(&[("WordDocument", PRIVATE), ("Data", &program)]);
    assert_eq!(outline(&old), Ok(vec![part(Kept::Program, "Data")]));
    // A document in a document, with a program in it.
    let nested = ooxml(&[("word/embeddings/b.docx", &new)]);
    let path = "word/embeddings/b.docx|word/embeddings/a.bin";
    assert_eq!(outline(&nested), Ok(vec![part(Kept::Program, path)]));
}

#[test]
fn a_packaged_script_counts_as_a_program() {
    let content = [b"WScript.", CODE].concat();
    let mut package = vec![0; 4];
    package.extend_from_slice(b"\x02\0run.js\0C:\\run.js\0\0\0\x03\0\x04\0\0\0tmp\0");
    package.extend_from_slice(&(content.len() as u32).to_le_bytes());
    package.extend_from_slice(&content);
    let document = ole2(&[("WordDocument", PRIVATE), ("\u{1}Ole10Native", &package)]);
    assert_eq!(outline(&document), Ok(vec![part(Kept::Script, "run.js")]));
}

#[test]
fn a_macro_sheet_is_macros() {
    let sheet = [b"<xm:macrosheet>=EXEC(", CODE, b")"].concat();
    let workbook = ooxml(&[("xl/macrosheets/sheet1.xml", &sheet), ("xl/worksheets/sheet1.xml", PRIVATE)]);
    assert_eq!(outline(&workbook), Ok(vec![part(Kept::Macros, "xl/macrosheets/sheet1.xml")]));
}

#[test]
fn a_document_without_code_stays_with_its_reason() {
    for document in
        [ole2(&[("WordDocument", PRIVATE)]), ooxml(&[]), zip(&[("mimetype", b"m"), ("content.xml", PRIVATE)])]
    {
        assert_eq!(outline(&document), Err(NotStripped::NoMacros));
    }
    let page = [b"<html><script>".as_slice(), PRIVATE, b"</script>"].concat();
    assert_eq!(outline(&ooxml(&[("a.html", &page)])), Err(NotStripped::NoMacros), "a page in a document is text");
}

#[test]
fn a_locked_document_says_so() {
    let locked = ole2(&[("EncryptionInfo", b"x"), ("EncryptedPackage", PRIVATE)]);
    assert_eq!(outline(&locked), Err(NotStripped::Encrypted));
}

#[test]
fn a_broken_document_says_so() {
    let mut broken = ole2(&[("WordDocument", PRIVATE)]);
    broken.truncate(2000);
    assert!(matches!(outline(&broken), Err(NotStripped::Broken(_))));
    assert!(matches!(outline(&[&broken[..8], PRIVATE].concat()), Err(NotStripped::Broken(_))));
}

#[test]
fn of_rtf_and_pdf_only_embedded_programs_leave() {
    let program = pe();
    let mut object = b"\x01\x05\0\0\x02\0\0\0\x02\0\0\0x\0\0\0\0\0\0\0\0\0".to_vec();
    object.extend_from_slice(&(program.len() as u32).to_le_bytes());
    object.extend_from_slice(&program);
    let digits: String = object.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut rtf = b"{\\rtf1 ".to_vec();
    rtf.extend_from_slice(PRIVATE);
    assert_eq!(outline(&rtf), Err(NotStripped::NoMacros));
    rtf.extend_from_slice(format!("{{\\objdata {digits}}}}}").as_bytes());
    assert_eq!(outline(&rtf), Ok(vec![part(Kept::Program, "x")]));
    let mut pdf = b"%PDF-1.4\n1 0 obj <<>> stream\n".to_vec();
    pdf.extend_from_slice(PRIVATE);
    pdf.extend_from_slice(b"\nendstream");
    assert_eq!(outline(&pdf), Err(NotStripped::NoMacros));
    pdf.extend_from_slice(b" 2 0 obj <<>> stream\n");
    pdf.extend_from_slice(&program);
    pdf.extend_from_slice(b"\nendstream");
    assert_eq!(outline(&pdf), Ok(vec![part(Kept::Program, "stream")]));
}
