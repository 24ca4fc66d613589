// The form of the run sheet: nothing that was typed is lost.
